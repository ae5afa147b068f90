using System.Net.Http.Json;
using System.Text.Json.Nodes;
using MoxApi.Migrations.Cluster;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>The sandbox's addresses that never answer, with a client that waits five seconds in place of five minutes.</summary>
public sealed class SandboxTimeoutTests : IDisposable
{
    private readonly SandboxFolder sandbox = new();

    public void Dispose() => sandbox.Dispose();

    [Fact]
    public async Task The_attempt_ends_when_the_client_has_waited_it_is_delayed_and_other_mail_goes_on_meanwhile()
    {
        var settings = new Dictionary<string, string> { ["Timeouts__Mail"] = "00:00:05", ["Timeouts__Rcpt"] = "00:00:05" };
        await using var program = await MoxApiProcess.StartSandboxAsync(sandbox.DataFolder, settings);
        using var client = program.Client(SandboxFolder.Key);

        var (hangs, also) = (await SandboxFolder.SendAsync(client, "timeout@example.org", "Hangs"), await SandboxFolder.SendAsync(client, "jane-TIMEOUT@example.com", "Hangs too"));
        var passes = await SandboxFolder.SendAsync(client, "jane@example.org", "Passes");

        Assert.Equal("delivered", (string?)(await SandboxFolder.SettledAsync(client, passes))["status"]);
        AssertTimedOut(await SandboxFolder.SettledAsync(client, hangs));
        AssertTimedOut(await SandboxFolder.SettledAsync(client, also));
        Assert.Equal(["message.accepted", "message.delayed"], await EventsAsync(client, hangs));
        Assert.Equal(["Passes"], await SandboxFolder.SubjectsAsync(client));
        await AssertBooksBalanceAsync();
        Assert.Equal(0, await program.StopAsync()); // And the listener does not wait for those who left.
    }

    private static void AssertTimedOut(JsonNode recipient)
    {
        Assert.Equal(("delayed", 1), ((string?)recipient["status"], (int?)recipient["attempts"]));
        Assert.NotNull(recipient["nextAttemptAt"]);
        var attempt = recipient["lastAttempt"]!;
        Assert.Equal(("delayed", "network"), ((string?)attempt["outcome"], (string?)attempt["failureClass"]));
        Assert.InRange((int)attempt["durationMs"]!, 5000, int.MaxValue);
        // MAIL and RCPT go in one batch, and the answers to a batch come together (RFC 2920 §3.2): the wait may be one for either.
        var last = attempt["conversation"]!.AsArray()[^1]!;
        Assert.Contains((string?)last["step"], new[] { "mail", "rcpt" });
        Assert.Equal((0, "The server did not answer within 5 s."), ((int?)last["code"] ?? 0, (string?)last["reply"]));
    }

    private static async Task<IEnumerable<string?>> EventsAsync(HttpClient client, string id) =>
        (await client.GetFromJsonAsync<JsonNode>($"/v1/messages/{id}/events"))!["data"]!.AsArray().OrderBy(e => (int)e!["data"]!["sequence"]!).Select(e => (string?)e!["type"]);

    // As a command does it, beside the running program.
    private async Task AssertBooksBalanceAsync()
    {
        await using var cluster = await PrivateCluster.OpenAsync(sandbox.DataFolder, ClusterUse.Command, cancellationToken: TestContext.Current.CancellationToken);
        await using var database = NpgsqlDataSource.Create(cluster.ConnectionString);
        Assert.Empty((await Books.CheckAsync(database, TestContext.Current.CancellationToken)).Faults);
    }
}
