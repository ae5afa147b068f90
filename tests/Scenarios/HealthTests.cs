using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using MoxApi.Migrations;
using MoxApi.Migrations.Cluster;
using MoxApi.Tests.Conventions;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>What a node says of itself, and to whom.</summary>
public class HealthTests(TestPostgres postgres, MeasuredNode shared) : IClassFixture<MeasuredNode>
{
    [Fact]
    public async Task It_tells_that_it_lives_and_that_it_is_ready()
    {
        using var client = shared.Process.Client("");

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, "/healthz"));
        await Eventually.HoldsAsync(async () => await StatusAsync(client, "/readyz") == HttpStatusCode.OK, "the node to be ready");
    }

    [Fact]
    public async Task Its_measurements_are_for_admins_and_for_who_reaches_their_listener()
    {
        using var stranger = shared.Process.Client("");
        using var admin = shared.Process.Client(shared.Installation.ApiKey);
        using var monitoring = new HttpClient { BaseAddress = shared.Process.Metrics };

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(stranger, "/metrics"));
        Assert.Matches("(?m)^moxapi_session_safe.* 1 ?", await admin.GetStringAsync("/metrics"));
        Assert.Matches("(?m)^moxapi_session_safe.* 1 ?", await monitoring.GetStringAsync("/metrics"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(monitoring, "/healthz"));
        await Eventually.HoldsAsync(async () => await StatusAsync(monitoring, "/readyz") == HttpStatusCode.OK, "the node to be ready");
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(monitoring, "/v1/messages"));
    }

    [Fact]
    public async Task Every_measurement_of_ours_is_in_the_README()
    {
        await using var installation = await Installation.CreateAsync(postgres);
        await using var sink = new CountingSink();
        installation.Deliver("example.net", sink.EndPoint);
        await using var node = await installation.StartNodeAsync("a", ("Listeners__Smtp__0", "127.0.0.1:0"));
        using var admin = node.Client(installation.ApiKey);
        await installation.SendAsync(node, "<m@acme.example>");
        await installation.QueueIsEmptyAsync();
        await StatusAsync(admin, "/v1/messages/none");

        var readme = Repository.Text("README.md");
        await Eventually.HoldsAsync(async () => (await admin.GetStringAsync("/metrics")).Contains("moxapi_queue_recipients{", StringComparison.Ordinal), "the queue to be counted");
        var names = Regex.Matches(await admin.GetStringAsync("/metrics"), "^# TYPE (moxapi_[a-z_]+)", RegexOptions.Multiline).Select(m => m.Groups[1].Value).ToArray();

        Assert.True(names.Length > 15, string.Join(' ', names));
        Assert.All(names, name => Assert.Contains($"`{name}`", readme));
    }

    [Fact]
    public async Task Without_PostgreSQL_it_lives_is_not_ready_and_stops_when_told_to()
    {
        using var folder = new TemporaryFolder();
        await using var cluster = await PrivateCluster.OpenAsync(folder.FullName, ClusterUse.Server);
        await using (var database = NpgsqlDataSource.Create(cluster.ConnectionString)) await SchemaMigrator.MigrateAsync(database, TestContext.Current.CancellationToken);
        await using var installation = await Installation.CreateAsync(cluster.ConnectionString);
        await using var node = await installation.StartNodeAsync("a");
        using var client = node.Client(installation.ApiKey);
        await Eventually.HoldsAsync(async () => await StatusAsync(client, "/readyz") == HttpStatusCode.OK, "the node to be ready");

        NpgsqlConnection.ClearAllPools();
        installation.Database.Clear();
        await cluster.DisposeAsync();

        await Eventually.HoldsAsync(async () => await StatusAsync(client, "/readyz") == HttpStatusCode.ServiceUnavailable, "the node not to be ready");
        await Eventually.HoldsAsync(async () => (await TextAsync(client, "/readyz")).Contains("PostgreSQL does not answer.", StringComparison.Ordinal), "the node to tell why");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, "/healthz"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(client, "/v1/messages"));
        Assert.Equal(0, await node.StopAsync().WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task It_is_not_ready_before_its_loops_run()
    {
        await using var installation = await Installation.CreateAsync(postgres);
        await using var other = await OtherTransaction.BeginAsync(installation.Database, $"LOCK TABLE {SchemaMigrator.HangfireSchema}.jobqueue");
        await using var node = await installation.StartNodeAsync("a");
        using var client = node.Client(installation.ApiKey);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(client, "/readyz"));
        Assert.Contains("The loops do not run.", await TextAsync(client, "/readyz"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, "/healthz"));

        await other.CommitAsync();
        await Eventually.HoldsAsync(async () => await StatusAsync(client, "/readyz") == HttpStatusCode.OK, "the node to be ready");
        Assert.DoesNotContain("HealthCheck", node.Log);
    }

    [Fact]
    public async Task The_dashboard_is_for_admins()
    {
        using var client = shared.Process.Client("");

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(client, "/hangfire"));
        Assert.Equal(HttpStatusCode.Unauthorized, await DashboardAsync(client, "any:mox_wrong"));
        Assert.Equal(HttpStatusCode.OK, await DashboardAsync(client, $"any:{shared.Installation.ApiKey}"));
        Assert.Equal(HttpStatusCode.NotFound, await DashboardAsync(client, $"any:{shared.Installation.ApiKey}", "/hangfire/jobs/details/none"));
        using var refused = await client.GetAsync("/hangfire");
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType?.MediaType);
    }

    private static async Task<HttpStatusCode> DashboardAsync(HttpClient client, string credentials, string path = "/hangfire")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path)
        {
            Headers = { Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials))) },
        };
        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }

    private static async Task<string> TextAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path);
        return await answer.Content.ReadAsStringAsync();
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path);
        return answer.StatusCode;
    }
}

/// <summary>Tells its measurements on a listener of their own.</summary>
public sealed class MeasuredNode(TestPostgres postgres) : SharedNode(postgres, ("Listeners__Metrics__0", "127.0.0.1:0"));
