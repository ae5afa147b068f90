using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>Starts and ends of the local sandbox, and what happens beside it.</summary>
public sealed class SandboxLifeTests : IDisposable
{
    private readonly SandboxFolder sandbox = new();

    public void Dispose() => sandbox.Dispose();

    [Fact]
    public async Task Ctrl_C_stops_everything_and_the_next_start_has_what_was_there()
    {
        await using (var first = await sandbox.StartAsync())
        {
            using var client = first.Client(SandboxFolder.Key);
            await SandboxFolder.SettledAsync(client, await SandboxFolder.SendAsync(client, "jane@anywhere.example", "Kept"));
            Assert.Equal(0, await first.StopAsync());
            Assert.Empty(sandbox.Processes());
        }
        await using var second = await sandbox.StartAsync();
        using var again = second.Client(SandboxFolder.Key);
        Assert.Equal(["Kept"], await SandboxFolder.SubjectsAsync(again));
        await SandboxFolder.SettledAsync(again, await SandboxFolder.SendAsync(again, "sam@elsewhere.example", "New"));
        Assert.Equal(["New", "Kept"], await SandboxFolder.SubjectsAsync(again));
    }

    [Fact]
    public async Task After_kill_9_the_next_start_has_everything_that_was_acknowledged()
    {
        var subjects = Enumerable.Range(0, 20).Select(n => $"Message {n}").ToArray();
        await using (var first = await sandbox.StartAsync())
        {
            using var client = first.Client(SandboxFolder.Key);
            foreach (var subject in subjects) await SandboxFolder.SendAsync(client, "jane@example.org", subject);
            await first.KillAsync();
        }
        await using var second = await sandbox.StartAsync();
        using var again = second.Client(SandboxFolder.Key);
        await Eventually.HoldsAsync(async () => subjects.Except(await SandboxFolder.SubjectsAsync(again)).Any() is false, "all that was acknowledged to arrive");
        Assert.Equal(0, await second.StopAsync());
        Assert.Empty(sandbox.Processes());
    }

    [Fact]
    public async Task Where_a_port_is_taken_it_says_which_others_to_take_and_stops_in_peace()
    {
        using var folder = new SandboxFolder();
        await using var other = await folder.StartAsync();

        var run = await sandbox.RunAsync("--port-offset", $"{other.Http.Port - 80}");

        Assert.Equal(1, run.ExitCode);
        Assert.Matches($"address already in use. Another program uses the port: --port-offset ({other.Http.Port - 80 + 1000}|1000) takes others.", run.Log);
        Assert.DoesNotMatch("(?m)(warn|fail|crit): ", run.Log);
        Assert.Empty(sandbox.Processes());
    }

    [Fact]
    public async Task A_second_server_is_refused_and_commands_work_with_and_without_the_first()
    {
        var before = await sandbox.RunAsync("account", "add", "before");
        Assert.True(before.ExitCode == 0, before.Log);
        Assert.Empty(sandbox.Processes());
        await using (var program = await sandbox.StartAsync())
        {
            var second = await sandbox.RunAsync();
            Assert.Equal(1, second.ExitCode);
            Assert.Contains($"is in use by another moxapi (process {program.Id})", second.Log);
            var during = await sandbox.RunAsync("account", "add", "during");
            Assert.True(during.ExitCode == 0, during.Log);
            Assert.Equal(0, await program.StopAsync());
        }
        var list = await sandbox.RunAsync("account", "list");
        Assert.Equal(["before", "during", "sandbox"], list.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split('\t')[0]));
    }

    [Fact]
    public async Task Help_lists_the_commands()
    {
        var help = await sandbox.RunAsync("--help");
        Assert.Equal(0, help.ExitCode);
        foreach (var command in new[] { "account", "domain", "address", "key", "webhook", "migrate", "--data-dir", "--port-offset" }) Assert.Contains($"  {command}", help.Output);
    }
}
