using Microsoft.Extensions.Logging.Abstractions;
using MoxApi.Api.Health;
using MoxApi.Api.Jobs;
using MoxApi.Migrations.Nodes;
using MoxApi.Migrations.Writing;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Migrations;
using Npgsql;
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

        await ForgetKeysAsync(mail);

        Assert.Equal((10, 0), (await mail.CountAsync("SELECT count(*) FROM idempotent_answer"), await mail.CountAsync("SELECT count(*) FROM idempotent_answer WHERE key::int <= 2500")));
    }

    [Fact]
    public async Task A_key_that_is_just_being_used_anew_is_not_forgotten()
    {
        await using var installation = await Installation.CreateAsync(postgres);
        var mail = new StoredMail(installation);
        await mail.ExecuteAsync("INSERT INTO idempotent_answer (account_id, key, fingerprint, answer, created_at) SELECT 1, n, '', '{}', now() - interval '25 hours' FROM unnest(ARRAY['again', 'old']) AS n");
        await using (var send = await mail.Database.OpenConnectionAsync(TestContext.Current.CancellationToken))
        await using (var transaction = await send.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            await using var take = new NpgsqlCommand("UPDATE idempotent_answer SET created_at = now() WHERE key = 'again'", send);
            await take.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

            await ForgetKeysAsync(mail).WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
            await transaction.CommitAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal((1, 1), (await mail.CountAsync("SELECT count(*) FROM idempotent_answer"), await mail.CountAsync("SELECT count(*) FROM idempotent_answer WHERE key = 'again'")));
    }

    private static async Task ForgetKeysAsync(StoredMail mail)
    {
        await using var session = new NodeSession(mail.Database, "test", Roles.All, new LeaseTimes(), TimeProvider.System, NullLogger<NodeSession>.Instance);
        using var metrics = new NodeMetrics(session, new BytesInFlight());
        await new Chores(mail.Database, metrics, TimeProvider.System, NullLogger<Chores>.Instance).ForgetIdempotencyKeys(TestContext.Current.CancellationToken);
    }
}
