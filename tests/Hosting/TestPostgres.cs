using MoxApi.Tests.Hosting;
using Xunit;

[assembly: AssemblyFixture(typeof(TestPostgres))]

namespace MoxApi.Tests.Hosting;

/// <summary>The PostgreSQL of a test run. It does not sync to disk: a test about losing power needs a cluster of its own.</summary>
public sealed class TestPostgres() : TemporaryCluster("/tmp", new Dictionary<string, string>
{
    ["fsync"] = "off",
    ["full_page_writes"] = "off",
    ["max_connections"] = "500",
    ["autovacuum"] = "off", // It starts a process per database and nap, and there is a database per test.
})
{
    private readonly SemaphoreSlim installing = new(1, 1);
    private Installation? installed;

    /// <summary>An installation of the caller's own, copied from one: to make the keys of its domain takes longer than the copy.</summary>
    internal async Task<Installation> CreateInstallationAsync()
    {
        await installing.WaitAsync();
        try
        {
            installed ??= await InstallAsync();
        }
        finally
        {
            installing.Release();
        }
        return await installed.CopyAsync(this);
    }

    private async Task<Installation> InstallAsync()
    {
        await using var installation = await Installation.CreateAsync(await CreateDatabaseAsync());
        return installation;
    }
}
