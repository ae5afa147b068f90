using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace MoxApi.Tests.Hosting;

/// <summary>Keeps what is logged.</summary>
internal sealed class RecordingLog : ILoggerProvider
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> entries = [];

    /// <summary>Everything, a line each.</summary>
    public IEnumerable<string> Lines => entries.Select(e => e.Text);

    /// <summary>What nobody should have to see: errors, and exceptions that were not handled.</summary>
    public string[] Errors => [.. entries.Where(e => e.Level >= LogLevel.Error).Select(e => e.Text)];

    /// <summary>Those, and what passes.</summary>
    public string[] Warnings => [.. entries.Where(e => e.Level >= LogLevel.Warning).Select(e => e.Text)];

    public ILogger CreateLogger(string categoryName) => new Writer(this, categoryName);

    public void Dispose()
    {
        // What was kept is read after the host's end.
    }

    private sealed class Writer(RecordingLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.entries.Enqueue((logLevel, $"{category}: {formatter(state, exception)} {exception}"));
    }
}
