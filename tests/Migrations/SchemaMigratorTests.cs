using Microsoft.EntityFrameworkCore;
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
    public async Task Nodes_that_start_together_on_an_empty_database_have_one_installation()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateEmptyDatabaseAsync());

        var installations = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => SchemaMigrator.MigrateAsync(database, Cancel)));

        Assert.Single(installations.Select(installation => Convert.ToHexString(installation.IdKey)).Distinct());
    }
}
