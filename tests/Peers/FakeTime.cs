using Microsoft.Extensions.Time.Testing;

namespace MoxApi.Tests.Peers;

internal static class FakeTime
{
    /// <summary>Lets time pass until a task ends, however it ends; a real deadline of a minute bounds it.</summary>
    public static async Task AdvanceUntilAsync(this FakeTimeProvider time, Task task, TimeSpan step)
    {
        for (var i = 0; i < 60_000 && !task.IsCompleted; i++)
        {
            time.Advance(step);
            await Task.WhenAny(task, Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System));
        }
        if (!task.IsCompleted) throw new TimeoutException("The task did not end, however much time passed.");
    }
}
