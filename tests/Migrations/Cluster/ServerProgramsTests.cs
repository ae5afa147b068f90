using MoxApi.Migrations.Cluster;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Migrations.Cluster;

public sealed class ServerProgramsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Without_server_programs_the_message_says_what_to_install()
    {
        var failure = await Assert.ThrowsAsync<PrivateClusterException>(() => ServerPrograms.FindAsync([], null, CancellationToken.None));

        Assert.Contains("apt-get install postgresql", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrapper_script_named_postgres_is_passed_over()
    {
        foreach (var name in (string[])["postgres", "initdb", "pg_ctl"]) Script(name, "echo 'postgres (PostgreSQL) 99.1'");

        await Assert.ThrowsAsync<PrivateClusterException>(() => ServerPrograms.FindAsync([folder.FullName], null, CancellationToken.None));
    }

    [Fact]
    public async Task A_link_on_the_path_leads_to_the_folder_that_has_all_programs()
    {
        var installed = await ServerPrograms.FindAsync(null, CancellationToken.None);
        Directory.CreateDirectory(folder.FullName);
        File.CreateSymbolicLink(folder.Combine("postgres"), installed.Postgres);

        Assert.Equal([installed.Folder], ServerPrograms.Candidates(folder.FullName, []));
    }

    [Fact]
    public void The_newest_installed_version_comes_first_and_by_number_not_by_letter()
    {
        foreach (var version in (string[])["9", "15", "17", "common"])
        {
            Directory.CreateDirectory(folder.Combine(version, "bin"));
            File.WriteAllText(folder.Combine(version, "bin", "postgres"), "");
        }

        var candidates = ServerPrograms.Candidates("/nonexistent", [folder.FullName]);

        Assert.Equal([folder.Combine("17", "bin"), folder.Combine("15", "bin"), folder.Combine("9", "bin")], candidates);
    }

    private void Script(string name, string body)
    {
        Directory.CreateDirectory(folder.FullName);
        File.WriteAllText(folder.Combine(name), $"#!/bin/sh\n{body}\n");
        File.SetUnixFileMode(folder.Combine(name), UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }
}
