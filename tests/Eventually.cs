namespace MoxApi.Tests;

/// <summary>Waits for something that other processes do, by asking again and again.</summary>
internal static class Eventually
{
    /// <summary>How long a test waits before it fails: long enough for a machine that is busy with other things.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until it holds.</summary>
    public static Task HoldsAsync(Func<Task<bool>> holds, string what) => GetAsync(async () => await holds() ? "yes" : null, what);

    /// <summary>Waits until there is something.</summary>
    public static async Task<T> GetAsync<T>(Func<Task<T?>> find, string what)
        where T : class
    {
        var since = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (await find() is { } found) return found;
            if (TimeProvider.System.GetElapsedTime(since) > Patience) throw new TimeoutException($"Waited in vain for {what}.");
            await Task.Delay(Pause, TimeProvider.System);
        }
    }
}
