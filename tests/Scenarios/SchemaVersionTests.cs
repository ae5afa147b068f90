using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>A program meets a database that is of another version, or of another installation.</summary>
public class SchemaVersionTests(TestPostgres postgres)
{
    [Fact]
    public async Task A_node_that_may_not_migrate_refuses_a_schema_that_is_older_than_itself()
    {
        var (exitCode, _, log) = await RunAsync(await postgres.CreateEmptyDatabaseAsync(), "api", "delivery");
        Assert.Equal(1, exitCode);
        Assert.Contains("moxapi: The database's schema is older than this program.", log);
    }

    [Fact]
    public async Task A_schema_that_needs_a_newer_program_is_refused()
    {
        var connectionString = await postgres.CreateDatabaseAsync();
        await using (var installation = await Installation.CreateAsync(connectionString))
        {
            await using var newer = installation.Database.CreateCommand("""
                INSERT INTO installation (id, id_key, minimum_program_version, created_at) VALUES (1, '\x00000000000000000000000000000000', 99, now())
                ON CONFLICT (id) DO UPDATE SET minimum_program_version = 99
                """);
            await newer.ExecuteNonQueryAsync();
        }
        var (exitCode, _, log) = await RunAsync(connectionString);
        Assert.Equal(1, exitCode);
        Assert.Contains("moxapi: The database was upgraded by a newer program and needs schema support 99", log);
    }

    [Fact]
    public async Task A_master_key_that_is_not_the_databases_is_refused_at_the_start()
    {
        await using var installation = await Installation.CreateAsync(postgres); // Which has a domain with keys.
        var settings = new Dictionary<string, string>(installation.Settings) { ["Secrets__MasterKey"] = Convert.ToBase64String(new byte[32]), ["Listeners__Http__0"] = "127.0.0.1:0" };
        var (exitCode, _, log) = await MoxApiProcess.RunAsync(settings);
        Assert.Equal(1, exitCode);
        Assert.Contains("moxapi: A secret in the database was sealed under the master key ", log);
        Assert.Contains("Restore the master key that belongs to this database", log);
    }

    private static Task<(int ExitCode, string Output, string Log)> RunAsync(string connectionString, params string[] roles)
    {
        var settings = new Dictionary<string, string> { ["Database__ConnectionString"] = connectionString, ["Listeners__Http__0"] = "127.0.0.1:0" };
        foreach (var (index, role) in roles.Index()) settings[$"Node__Roles__{index}"] = role;
        return MoxApiProcess.RunAsync(settings);
    }
}
