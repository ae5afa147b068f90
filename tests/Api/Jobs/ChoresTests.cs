using Microsoft.Extensions.Logging.Abstractions;
using MoxApi.Api.Health;
using MoxApi.Api.Jobs;
using MoxApi.Migrations.Nodes;
using MoxApi.Migrations.Writing;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Migrations;
using Xunit;
using Installation = MoxApi.Tests.Hosting.Installation;

namespace MoxApi.Tests.Api.Jobs;

public class ChoresTests(TestPostgres postgres)
{
    [Fact]
    public async Task Idempotency_keys_are_forgotten_after_a_day_however_many_and_younger_ones_are_not()
    {
        await using var installation = await Installation.CreateAsync(postgres);
        var mail = new StoredMail(installation);
        await mail.ExecuteAsync("""
            INSERT INTO idempotent_answer (account_id, key, fingerprint, answer, created_at)
            SELECT (SELECT min(id) FROM account), n::text, '', '{}', now() - CASE WHEN n <= 2500 THEN interval '24 hours 1 minute' ELSE interval '23 hours 59 minutes' END
            FROM generate_series(1, 2510) AS n
            """);
        await using var session = new NodeSession(mail.Database, "test", Roles.All, new LeaseTimes(), TimeProvider.System, NullLogger<NodeSession>.Instance);
        using var metrics = new NodeMetrics(session, new BytesInFlight());

        await new Chores(mail.Database, metrics, TimeProvider.System, NullLogger<Chores>.Instance).ForgetIdempotencyKeys(TestContext.Current.CancellationToken);

        Assert.Equal((10, 0), (await mail.CountAsync("SELECT count(*) FROM idempotent_answer"), await mail.CountAsync("SELECT count(*) FROM idempotent_answer WHERE key::int <= 2500")));
    }
}
