using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using MoxApi.Migrations;
using MoxApi.Tests.Hosting;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Migrations;

public sealed class SchemaMigratorTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_schema_that_lacks_any_one_migration_is_outdated()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        var options = new DbContextOptionsBuilder<MailDbContext>();
        MailDbContext.Configure(options, database);
        await using var context = new MailDbContext(options.Options);
        Assert.NotEmpty(context.Database.GetMigrations());

        foreach (var migration in context.Database.GetMigrations())
        {
            await context.Database.ExecuteSqlAsync($"UPDATE schema_history SET migration_id = 'away' WHERE migration_id = {migration}", Cancel);
            await Assert.ThrowsAsync<SchemaOutdatedException>(() => SchemaMigrator.CheckAsync(database, Cancel));
            await context.Database.ExecuteSqlAsync($"UPDATE schema_history SET migration_id = {migration} WHERE migration_id = 'away'", Cancel);
        }
        await SchemaMigrator.CheckAsync(database, Cancel);
    }

    [Fact]
    public async Task A_migration_of_a_newer_program_that_this_one_can_live_with_is_no_matter()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await using var newer = database.CreateCommand("INSERT INTO schema_history (migration_id, product_version) VALUES ('99990101000000_Newer', '99.0')");
        await newer.ExecuteNonQueryAsync(Cancel);

        await SchemaMigrator.CheckAsync(database, Cancel);
        await SchemaMigrator.MigrateAsync(database, Cancel);
    }

    [Fact]
    public async Task A_database_that_somebody_began_with_the_history_alone_is_migrated()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateEmptyDatabaseAsync());
        await using var begun = database.CreateCommand("CREATE TABLE schema_history (migration_id varchar(150) PRIMARY KEY, product_version varchar(32) NOT NULL)");
        await begun.ExecuteNonQueryAsync(Cancel);
        await Assert.ThrowsAsync<SchemaOutdatedException>(() => SchemaMigrator.CheckAsync(database, Cancel));

        var installation = await SchemaMigrator.MigrateAsync(database, Cancel);

        Assert.Equal(installation.IdKey, (await SchemaMigrator.CheckAsync(database, Cancel)).IdKey);
        Assert.Equal(installation.CreatedAt, (await SchemaMigrator.MigrateAsync(database, Cancel)).CreatedAt);
    }

    [Fact]
    public async Task What_is_queued_when_the_queue_learns_of_domains_has_that_of_its_message()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateEmptyDatabaseAsync());
        var options = new DbContextOptionsBuilder<MailDbContext>();
        MailDbContext.Configure(options, database);
        await using var context = new MailDbContext(options.Options);
        await context.GetService<IMigrator>().MigrateAsync("ChunksFitPages", Cancel);
        await using var queued = database.CreateCommand("""
            INSERT INTO message (id, account_id, direction, message_id_header, from_header, subject, size, header, body_id, tags, metadata, accepted_at, require_tls, needs_smtp_utf8, domain_id)
              SELECT n, 1, 0, '', '', '', 0, '', 1, '{}', '{}', now(), 0, false, CASE n WHEN 1 THEN 7 END FROM generate_series(1, 2) n;
            INSERT INTO recipient (id, message_id, account_id, lane_id, address, base_address, accepted_at, kind, status, event_sequence, attempts)
              SELECT 10 + n, n, 1, 1, '', '', now(), 0, 0, 1, 0 FROM generate_series(1, 2) n;
            INSERT INTO queue (recipient_id, lane_id, due_at, held, attempts, reclaims, in_hand, expires_at) SELECT id, 1, now(), false, 0, 0, false, now() FROM recipient
            """);
        await queued.ExecuteNonQueryAsync(Cancel);

        await SchemaMigrator.MigrateAsync(database, Cancel);

        Assert.Equal([(11, 7), (12, null)], await context.Queue.OrderBy(q => q.RecipientId).Select(q => new ValueTuple<long, long?>(q.RecipientId, q.DomainId)).ToListAsync(Cancel));
    }

    [Fact]
    public async Task Nodes_that_start_together_on_an_empty_database_have_one_installation()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateEmptyDatabaseAsync());

        var installations = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => SchemaMigrator.MigrateAsync(database, Cancel)));

        Assert.Single(installations.Select(installation => Convert.ToHexString(installation.IdKey)).Distinct());
    }
}
