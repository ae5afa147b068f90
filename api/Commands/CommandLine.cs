using System.CommandLine;
using System.CommandLine.Help;
using System.Runtime.InteropServices;
using MoxApi.Api.Hosting;
using MoxApi.Api.Problems;
using MoxApi.Migrations;
using MoxApi.Migrations.Cluster;
using MoxApi.Migrations.Nodes;
using Npgsql;

namespace MoxApi.Api.Commands;

/// <summary>The command line: without a command, the program; with one, a task on the same database.</summary>
internal static class CommandLine
{
    private static readonly Option<string> DataFolder = new("--data-dir") { Description = "The data folder.", DefaultValueFactory = _ => "data", Recursive = true };

    private static readonly Option<string?> ConfigFile = new("--config") { Description = "The configuration file; moxapi.json beside the data folder by default.", Recursive = true };

    private static readonly Option<int?> PortOffset = new("--port-offset") { Description = "Added to the well-known ports of the sandbox; 1000 by default.", Recursive = true };

    /// <summary>The root command.</summary>
    public static Command Create()
    {
        // Not a RootCommand: that is called as the assembly is.
        var root = new Command("moxapi", "MoxApi: transactional email over HTTP. Without a command it runs; without configuration, as a local sandbox.")
        {
            DataFolder, ConfigFile, PortOffset, new HelpOption(), new VersionOption(),
            MigrateCommand(), AccountCommands.Create(), DomainCommands.Create(), AddressCommands.Create(), KeyCommands.Create(), WebhookListen.Create(), CheckCommand.Create(),
        };
        root.SetAction((parsed, _) => GuardAsync(stop => RunCommand.RunAsync(Read(parsed), stop)));
        return root;
    }

    /// <summary>Opens the database of the settings for a command, with an up-to-date schema.</summary>
    public static Task<int> WithDatabaseAsync(ParseResult parsed, Func<CommandContext, CancellationToken, Task<int>> action) => GuardAsync(async stop =>
    {
        var (settings, configuration) = Read(parsed);
        using var loggers = LoggerFactory.Create(logging => Logs.Configure(logging, configuration).SetMinimumLevel(LogLevel.Warning));
        await using var database = await Database.OpenAsync(settings, ClusterUse.Command, loggers, stop);
        if (settings.Node.Has(Roles.Migrate)) await SchemaMigrator.MigrateAsync(database.Source, stop);
        else await SchemaMigrator.CheckAsync(database.Source, stop);
        return await action(new CommandContext(settings, database.Source, await NodeHost.OpenSecretsAsync(settings, database.Source, stop)), stop);
    });

    /// <summary>Runs something that Ctrl-C and SIGTERM stop; a mistake of the user becomes one line and exit code 1.</summary>
    public static async Task<int> GuardAsync(Func<CancellationToken, Task<int>> action)
    {
        using var stopping = new CancellationTokenSource();
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stopping.Cancel();
        }
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            return await action(stopping.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return 130;
        }
        catch (Exception fault) when (IsUsersMistake(fault))
        {
            await Console.Error.WriteLineAsync($"moxapi: {ForPeople(fault)}");
            return 1;
        }
    }

    private static bool IsUsersMistake(Exception fault) => fault is SettingsException or CommandException or RefusalException or PrivateClusterException or SchemaTooNewException
        or SchemaOutdatedException or NodeNameTakenException or Migrations.Secrets.SecretException or NpgsqlException or IOException or HttpRequestException;

    // What the API would answer, with its faults for the fields of a request.
    private static string ForPeople(Exception fault) => fault is RefusalException { Refusal.Errors: { } faults }
        ? string.Join(Environment.NewLine, faults.Select(f => $"{f.Pointer?.TrimStart('/')}: {f.Detail}"))
        : fault.Message;

    private static (Settings Settings, IConfigurationRoot Configuration) Read(ParseResult parsed) =>
        Settings.Read(parsed.GetValue(DataFolder)!, parsed.GetValue(ConfigFile), parsed.GetValue(PortOffset));

    private static Command MigrateCommand()
    {
        var command = new Command("migrate", "Upgrades the database's schema to this program's, and stops.");
        command.SetAction((parsed, _) => GuardAsync(async stop =>
        {
            var (settings, configuration) = Read(parsed);
            using var loggers = LoggerFactory.Create(logging => Logs.Configure(logging, configuration));
            await using var database = await Database.OpenAsync(settings, ClusterUse.Command, loggers, stop);
            await SchemaMigrator.MigrateAsync(database.Source, stop);
            Console.WriteLine("The schema is up to date.");
            return 0;
        }));
        return command;
    }
}

/// <summary>A command cannot do what it was asked; the message says why.</summary>
internal sealed class CommandException(string message) : Exception(message);
