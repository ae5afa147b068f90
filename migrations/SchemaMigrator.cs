using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using Hangfire.PostgreSql;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Migrations;
using MoxApi.Migrations.Nodes;
using Npgsql;

namespace MoxApi.Migrations;

/// <summary>
/// Brings a database's schema to this program's: the model's tables, then Hangfire's, under an advisory lock. Whether there is anything to do is asked
/// in plain SQL: at most starts there is not, and to bring EF Core up only to learn that is a third of a start.
/// </summary>
public static class SchemaMigrator
{
    /// <summary>What this program understands. It grows when a migration ends support for older programs.</summary>
    public const int ProgramVersion = 1;

    /// <summary>The schema of Hangfire's tables.</summary>
    public const string HangfireSchema = "hangfire";

    private const long Lock = 0x6d6f786170690001;

    /// <summary>Upgrades the schema where it needs it; returns the installation's row.</summary>
    /// <exception cref="SchemaTooNewException">The schema needs a newer program.</exception>
    public static async Task<Installation> MigrateAsync(NpgsqlDataSource database, CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await ExecuteAsync(connection, $"SELECT pg_advisory_lock({Lock})", cancel);
        try
        {
            await RefuseNewerAsync(connection, cancel);
            if (await IsOutdatedAsync(connection, cancel)) await UpgradeAsync(database, cancel);
            await InstallHangfireAsync(database, connection, cancel);
            return await InstallationAsync(connection, cancel);
        }
        finally
        {
            await ExecuteAsync(connection, $"SELECT pg_advisory_unlock({Lock})", CancellationToken.None);
        }
    }

    /// <summary>The installation's row of a schema that is up to date.</summary>
    /// <exception cref="SchemaTooNewException">The schema needs a newer program.</exception>
    /// <exception cref="SchemaOutdatedException">The schema lacks migrations.</exception>
    public static async Task<Installation> CheckAsync(NpgsqlDataSource database, CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await RefuseNewerAsync(connection, cancel);
        if (await IsOutdatedAsync(connection, cancel)) throw new SchemaOutdatedException();
        return await InstallationAsync(connection, cancel);
    }

    // What EF Core asks too: whether every migration stands in the history.
    private static async Task<bool> IsOutdatedAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var exists = new NpgsqlCommand($"SELECT to_regclass('{MailDbContext.HistoryTable}') IS NOT NULL", connection);
        if (await exists.ExecuteScalarAsync(cancel) is not true) return true;
        await using var command = new NpgsqlCommand($"SELECT $1::text[] <@ array_agg(migration_id::text) FROM {MailDbContext.HistoryTable}", connection)
        {
            Parameters = { new() { Value = Known() } },
        };
        return await command.ExecuteScalarAsync(cancel) is not true;
    }

    private static string[] Known() =>
        [.. typeof(SchemaMigrator).Assembly.GetTypes().Select(type => type.GetCustomAttribute<MigrationAttribute>()?.Id).OfType<string>()];

    private static async Task UpgradeAsync(NpgsqlDataSource database, CancellationToken cancel)
    {
        var options = new DbContextOptionsBuilder<MailDbContext>();
        MailDbContext.Configure(options, database);
        await using var context = new MailDbContext(options.Options);
        await context.Database.MigrateAsync(cancel);
    }

    private static async Task RefuseNewerAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var exists = new NpgsqlCommand("SELECT to_regclass('installation') IS NOT NULL", connection);
        if (await exists.ExecuteScalarAsync(cancel) is not true) return;
        await using var command = new NpgsqlCommand("SELECT max(minimum_program_version) FROM installation", connection);
        if (await command.ExecuteScalarAsync(cancel) is int needed && needed > ProgramVersion) throw new SchemaTooNewException(needed);
    }

    private static async Task InstallHangfireAsync(NpgsqlDataSource database, NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var exists = new NpgsqlCommand($"SELECT to_regclass('{HangfireSchema}.schema') IS NOT NULL", connection);
        if (await exists.ExecuteScalarAsync(cancel) is true)
        {
            await using var installed = new NpgsqlCommand($"SELECT max(version) FROM {HangfireSchema}.schema", connection);
            if (await installed.ExecuteScalarAsync(cancel) is int version && version >= NewestHangfireSchema()) return;
        }
        // One more from the source: its connection string, for one of our own, comes without the password.
        await using var own = await database.OpenConnectionAsync(cancel);
        PostgreSqlObjectsInstaller.Install(own, HangfireSchema);
    }

    // Its scripts are resources named ….Install.v23.sql. Running them all takes a third of a warm start, so look first.
    private static int NewestHangfireSchema() => typeof(PostgreSqlObjectsInstaller).Assembly.GetManifestResourceNames()
        .Where(name => name.Contains(".Install.v", StringComparison.Ordinal))
        .Max(name => int.Parse(name.Split('.')[^2][1..], CultureInfo.InvariantCulture));

    private static async Task<Installation> InstallationAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        if (await ReadInstallationAsync(connection, cancel) is { } row) return row;
        await using var insert = new NpgsqlCommand(
            "INSERT INTO installation (id, id_key, minimum_program_version, created_at) VALUES (1, $1, 1, now()) ON CONFLICT DO NOTHING", connection)
        {
            Parameters = { new() { Value = RandomNumberGenerator.GetBytes(16) } },
        };
        await insert.ExecuteNonQueryAsync(cancel);
        return (await ReadInstallationAsync(connection, cancel))!;
    }

    private static async Task<Installation?> ReadInstallationAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("SELECT id, id_key, minimum_program_version, created_at FROM installation", connection);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        return await reader.ReadAsync(cancel)
            ? new Installation { Id = reader.GetInt32(0), IdKey = (byte[])reader[1], MinimumProgramVersion = reader.GetInt32(2), CreatedAt = reader.GetFieldValue<DateTimeOffset>(3) }
            : null;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string statement, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancel);
    }
}

/// <summary>The schema needs a newer program than this one.</summary>
public sealed class SchemaTooNewException(int needed)
    : Exception($"The database was upgraded by a newer program and needs schema support {needed}; this program has {SchemaMigrator.ProgramVersion}. Run the newer program.");

/// <summary>The schema lacks migrations that this program needs.</summary>
public sealed class SchemaOutdatedException() : Exception("The database's schema is older than this program. Run the migrate role first: moxapi migrate.");
