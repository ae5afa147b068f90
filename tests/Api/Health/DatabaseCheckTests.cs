using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;
using MoxApi.Api.Health;
using MoxApi.Tests.Hosting;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Api.Health;

public class DatabaseCheckTests(TestPostgres postgres)
{
    [Fact]
    public async Task However_many_ask_PostgreSQL_is_asked_once_a_second()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateEmptyDatabaseAsync());
        var time = new FakeTimeProvider();
        var check = new DatabaseCheck(database, time);

        var first = AskAsync(check);
        Assert.All(Enumerable.Range(0, 100), _ => Assert.Same(first, AskAsync(check)));
        Assert.Equal(HealthStatus.Healthy, (await first).Status);

        Assert.Same(first, AskAsync(check));
        time.Advance(TimeSpan.FromSeconds(1));
        var second = AskAsync(check);
        Assert.NotSame(first, second);
        await second;
    }

    [Fact]
    public async Task A_PostgreSQL_that_is_away_is_unhealthy()
    {
        await using var database = NpgsqlDataSource.Create("Host=/nonexistent;Username=nobody;Database=none");
        Assert.Equal(HealthStatus.Unhealthy, (await AskAsync(new DatabaseCheck(database, new FakeTimeProvider()))).Status);
    }

    [Fact]
    public async Task A_PostgreSQL_that_hangs_is_unhealthy_after_five_seconds_and_not_asked_more_until_it_answers()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var database = NpgsqlDataSource.Create($"Host=127.0.0.1;Port={((IPEndPoint)silent.LocalEndpoint).Port};Username=nobody;Database=none;Timeout=0");
        var time = new FakeTimeProvider();
        var check = new DatabaseCheck(database, time);
        var first = AskAsync(check);
        using var client = await silent.AcceptTcpClientAsync().WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        await IsUnhealthyAfterFiveSecondsAsync(first);
        await IsUnhealthyAfterFiveSecondsAsync(AskAsync(check));
        Assert.False(silent.Pending());

        async Task IsUnhealthyAfterFiveSecondsAsync(Task<HealthCheckResult> asking)
        {
            time.Advance(TimeSpan.FromSeconds(4.9));
            Assert.False(asking.IsCompleted);
            time.Advance(TimeSpan.FromSeconds(0.1));
            Assert.Equal(HealthStatus.Unhealthy, (await asking.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken)).Status);
        }
    }

    private static Task<HealthCheckResult> AskAsync(DatabaseCheck check) => check.CheckHealthAsync(new HealthCheckContext(), TestContext.Current.CancellationToken);
}
