using MoxApi.Migrations;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Hosting;

public class TestPostgresTests(TestPostgres postgres)
{
    [Fact]
    public async Task Each_caller_gets_an_empty_database_of_its_own()
    {
        var connectionStrings = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => postgres.CreateEmptyDatabaseAsync()));

        foreach (var connectionString in connectionStrings)
        {
            await using var source = NpgsqlDataSource.Create(connectionString);
            await using var command = source.CreateCommand("CREATE TABLE mine (); SELECT count(*) FROM pg_tables WHERE schemaname = 'public'");
            Assert.Equal(1L, await command.ExecuteScalarAsync());
        }
    }

    [Fact]
    public async Task A_migrated_database_has_all_migrations_and_the_tables_of_Hangfire()
    {
        await using var source = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());

        await SchemaMigrator.CheckAsync(source, CancellationToken.None);

        await using var command = source.CreateCommand("SELECT to_regclass('hangfire.job') IS NOT NULL");
        Assert.Equal(true, await command.ExecuteScalarAsync());
    }
}
