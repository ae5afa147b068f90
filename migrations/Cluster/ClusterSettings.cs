using System.Text;

namespace MoxApi.Migrations.Cluster;

/// <summary>The <c>postgresql.conf</c> of the private cluster. Changes by hand belong into <c>ALTER SYSTEM</c>, which wins over this file.</summary>
internal static class ClusterSettings
{
    /// <summary>The number in the socket's name; no TCP port is opened.</summary>
    public const int Port = 5432;

    // fsync, full_page_writes and synchronous_commit are at their safe values, and stay so: a 2xx answer means "on disk".
    private static readonly (string Name, string Value)[] Ours =
    [
        ("listen_addresses", ""),
        ("port", "5432"),
        ("unix_socket_permissions", "0700"),
        ("max_connections", "100"),
        ("password_encryption", "scram-sha-256"),
        ("shared_buffers", "128MB"),
        ("synchronous_commit", "on"),
        ("wal_compression", "on"),
        ("min_wal_size", "80MB"),
        ("max_wal_size", "2GB"),
        ("checkpoint_timeout", "15min"),
        ("checkpoint_completion_target", "0.9"),
        // Our statements are short; compiling them costs more than it saves.
        ("jit", "off"),
        // Queue tables turn over all the time: look often, and do not pause.
        ("autovacuum_naptime", "10s"),
        ("autovacuum_vacuum_cost_delay", "0"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("log_destination", "stderr"),
        ("log_line_prefix", "%m [%p] "),
        ("log_checkpoints", "off"),
        // A failed statement's text and its DETAIL have message contents and credentials in them.
        ("log_min_error_statement", "panic"),
        ("log_error_verbosity", "terse"),
        ("lc_messages", "C"),
        ("default_text_search_config", "pg_catalog.simple"),
    ];

    /// <summary>Composes the file.</summary>
    /// <param name="programs">Decides about <c>pg_stat_statements</c>, which is loaded where installed.</param>
    /// <param name="socketFolder">The folder of the Unix socket.</param>
    /// <param name="others">Settings that win over ours.</param>
    public static string Compose(ServerPrograms programs, string socketFolder, IReadOnlyDictionary<string, string> others)
    {
        var file = new StringBuilder("# Written at every start. Use ALTER SYSTEM to change a setting.\n");
        foreach (var (name, value) in Ours) Add(file, name, value);
        if (programs.HasLibrary("pg_stat_statements")) Add(file, "shared_preload_libraries", "pg_stat_statements");
        Add(file, "unix_socket_directories", socketFolder);
        foreach (var (name, value) in others) Add(file, name, value);
        return file.ToString();
    }

    private static void Add(StringBuilder file, string name, string value) =>
        file.Append(name).Append(" = '").Append(value.Replace("'", "''", StringComparison.Ordinal)).Append("'\n");
}
