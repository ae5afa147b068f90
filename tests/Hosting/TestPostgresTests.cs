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
}
