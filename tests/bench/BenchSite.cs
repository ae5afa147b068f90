using System.Collections.Concurrent;
using System.Globalization;
using MoxApi.Bench.Loading;
using MoxApi.Bench.Measuring;
using MoxApi.Bench.Peers;
using MoxApi.Bench.Reporting;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;

namespace MoxApi.Bench;

/// <summary>
/// What all scenarios share: a PostgreSQL of the program's own kind and settings on the disk that is measured, the SMTP server that counts, and the
/// webhook endpoints.
/// </summary>
internal sealed class BenchSite : IAsyncDisposable
{
    private readonly TemporaryFolder folder;
    private readonly ConcurrentDictionary<string, Tally> runs = new(StringComparer.Ordinal);
    private int run;

    private BenchSite(BenchOptions options, Report report, WebhookSink webhooks)
    {
        (Options, Report, Webhooks) = (options, report, webhooks);
        folder = new(options.Folder);
        Cluster = new(folder.FullName, new Dictionary<string, string>());
        Sink = new CountingSink(options.Domains) { BeforeAnswer = Arrive };
    }

    public BenchOptions Options { get; }

    public Report Report { get; }

    /// <summary>PostgreSQL as the program runs it when it has none to use: nothing of its durability is taken away.</summary>
    public TemporaryCluster Cluster { get; }

    /// <summary>A server for each domain.</summary>
    public CountingSink Sink { get; }

    public WebhookSink Webhooks { get; }

    public static async Task<BenchSite> OpenAsync(BenchOptions options, Report report)
    {
        var site = new BenchSite(options, report, await WebhookSink.StartAsync());
        Directory.CreateDirectory(site.folder.FullName);
        // PostgreSQL's own user must be able to pass.
        File.SetUnixFileMode(site.folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        return site;
    }

    /// <summary>A file or folder on the measured disk, deleted at the end.</summary>
    public string PathOf(string name) => folder.Combine(name);

    /// <summary>A name for the next messages to be counted, and their tally.</summary>
    public (string Name, Tally Tally) NextRun(int expected)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"r{++run:000}");
        return (name, runs[name] = new Tally(expected));
    }

    /// <summary>A new database with an account, and the DNS that leads to the sink.</summary>
    public async Task<Stage> OpenStageAsync()
    {
        var connectionString = await Cluster.CreateDatabaseAsync();
        var installation = await Installation.CreateAsync(connectionString);
        for (var domain = 0; domain < Options.Domains; domain++) installation.Deliver(Messages.Domain(domain), Sink.EndPoints[domain]);
        return new Stage(this, installation, await Cluster.StartAsync());
    }

    public async ValueTask DisposeAsync()
    {
        await Sink.DisposeAsync();
        await Webhooks.DisposeAsync();
        await Cluster.DisposeAsync();
        folder.Dispose();
    }

    // <r001.00000042@acme.example>
    private Task Arrive(string messageId, int dots)
    {
        var dot = messageId.IndexOf('.', StringComparison.Ordinal);
        if (dot > 1 && runs.TryGetValue(messageId[1..dot], out var tally)) tally.Add(messageId);
        return Task.CompletedTask;
    }
}
