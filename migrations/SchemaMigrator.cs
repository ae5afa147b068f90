using System.Globalization;
using System.Security.Cryptography;
using Hangfire.PostgreSql;
using Microsoft.EntityFrameworkCore;
using MoxApi.Migrations.Nodes;
using Npgsql;

namespace MoxApi.Migrations;

/// <summary>Brings a database's schema to this program's: the model's tables, then Hangfire's, under an advisory lock.</summary>
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
            var options = new DbContextOptionsBuilder<MailDbContext>();
            MailDbContext.Configure(options, database);
            await using var context = new MailDbContext(options.Options);
            if ((await context.Database.GetPendingMigrationsAsync(cancel)).Any()) await context.Database.MigrateAsync(cancel);
            await InstallHangfireAsync(database, connection, cancel);
            return await InstallationAsync(context, cancel);
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
        await using (var connection = await database.OpenConnectionAsync(cancel)) await RefuseNewerAsync(connection, cancel);
        var options = new DbContextOptionsBuilder<MailDbContext>();
        MailDbContext.Configure(options, database);
        await using var context = new MailDbContext(options.Options);
        if ((await context.Database.GetPendingMigrationsAsync(cancel)).Any()) throw new SchemaOutdatedException();
        return await InstallationAsync(context, cancel);
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

    private static async Task<Installation> InstallationAsync(MailDbContext context, CancellationToken cancel)
    {
        if (await context.Installations.SingleOrDefaultAsync(cancel) is { } row) return row;
        await context.Database.ExecuteSqlAsync(
            $"INSERT INTO installation (id, id_key, minimum_program_version, created_at) VALUES (1, {RandomNumberGenerator.GetBytes(16)}, 1, now()) ON CONFLICT DO NOTHING", cancel);
        return await context.Installations.SingleAsync(cancel);
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
