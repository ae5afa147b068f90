namespace MoxApi.Migrations.Cluster;

/// <summary>Makes a cluster with its roles and its database. It appears under its final name when it is complete, so a half-made one is never used.</summary>
internal static class ClusterMaker
{
    /// <summary>The role of the program: owner of the database, may make further ones, no superuser.</summary>
    public const string Role = "moxapi";

    /// <summary>The database of the program.</summary>
    public const string Database = "moxapi";

    /// <summary>Makes the cluster. The caller holds the lock.</summary>
    /// <param name="home">Where.</param>
    /// <param name="programs">With which programs.</param>
    /// <param name="user">As whom.</param>
    /// <param name="password">The password of both roles; letters and digits.</param>
    /// <param name="durable">Whether the files must survive a loss of power.</param>
    /// <param name="cancellationToken">Ends the making; what there is of it is never used.</param>
    public static async Task MakeAsync(
        ClusterHome home, ServerPrograms programs, ClusterUser user, string password, bool durable, CancellationToken cancellationToken)
    {
        // A fresh name: the initdb of a program that was killed may still be writing into the old folder.
        await DeleteHalfMadeAsync(home, user, cancellationToken);
        var making = (await user.RunOrThrowAsync("mktemp", ["-d", home.MakingPrefix + "XXXXXXXX"], cancellationToken)).TrimEnd('\n');
        var data = Path.Combine(making, "data");
        var passwordFile = Path.Combine(making, "password");
        await user.WriteFileAsync(passwordFile, password + "\n", cancellationToken);
        await user.RunOrThrowAsync(
            programs.InitDb,
            [
                "-D", data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", passwordFile, "-E", "UTF8", "--locale", "C.UTF-8", "--data-checksums",
                .. durable ? [] : (string[])["--no-sync"],
            ],
            cancellationToken);
        // Single-user mode takes one statement per line, and needs no server.
        await user.RunOrThrowAsync(
            programs.Postgres,
            ["--single", "-D", data, "-c", "exit_on_error=true", "-c", durable ? "fsync=on" : "fsync=off", "postgres"],
            cancellationToken,
            Roles(password) + Statistics(programs));
        await user.RunOrThrowAsync("mv", ["-T", "--", data, home.Data], cancellationToken);
        // initdb has synced the files; the new name must be as durable as what will be committed under it.
        if (durable) await user.RunOrThrowAsync("sync", ["--", home.Path], cancellationToken);
        await DeleteHalfMadeAsync(home, user, cancellationToken);
    }

    private static async Task DeleteHalfMadeAsync(ClusterHome home, ClusterUser user, CancellationToken cancellationToken) =>
        await user.RunAsync("/bin/sh", ["-c", "rm -rf -- \"$1\"*", "sh", home.MakingPrefix], cancellationToken);

    private static string Roles(string password) =>
        $"""
        CREATE ROLE {Role} LOGIN CREATEDB PASSWORD '{password}';
        GRANT pg_monitor, pg_signal_backend TO {Role};
        CREATE DATABASE {Database} OWNER {Role};

        """;

    private static string Statistics(ServerPrograms programs) =>
        programs.HasLibrary("pg_stat_statements") ? "CREATE EXTENSION pg_stat_statements;\n" : "";
}
