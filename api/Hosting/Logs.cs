using Microsoft.Extensions.Logging.Console;

namespace MoxApi.Api.Hosting;

/// <summary>How the program logs: to standard error; in lines for people, or as JSON where <c>Logging:Console:FormatterName</c> says so.</summary>
internal static class Logs
{
    /// <summary>Sets logging up, the same before the host is built and in it.</summary>
    public static ILoggingBuilder Configure(ILoggingBuilder logging, IConfiguration configuration)
    {
        logging.ClearProviders();
        // Not AddSimpleConsole: it would set the formatter whatever the configuration says.
        logging.Services.Configure<SimpleConsoleFormatterOptions>(options =>
        {
            options.SingleLine = true;
            options.TimestampFormat = "HH:mm:ss.fff ";
        });
        // For programs, which may be elsewhere.
        logging.Services.Configure<JsonConsoleFormatterOptions>(options =>
        {
            options.UseUtcTimestamp = true;
            options.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
        });
        logging.AddConsole(options =>
        {
            options.LogToStandardErrorThreshold = LogLevel.Trace;
            // Without a name the console would fall back to options of old, and put them in place of those above.
            options.FormatterName ??= ConsoleFormatterNames.Simple;
        });
        logging.SetMinimumLevel(LogLevel.Information);
        foreach (var noisy in new[] { "Microsoft", "System", "Hangfire", "Npgsql", "OpenTelemetry" }) logging.AddFilter(noisy, LogLevel.Warning);
        // It tells of every connection of a pool that breaks, with its stack; who uses one is told anyway. To see them, set Logging:LogLevel:Npgsql.Connection.
        logging.AddFilter("Npgsql.Connection", LogLevel.Critical);
        // Why a node is not ready is in the answer, which is asked for every few seconds.
        logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
        // It logs what ends the start with its stack; the command says the same in a line.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        return logging.AddConfiguration(configuration.GetSection("Logging"));
    }
}
