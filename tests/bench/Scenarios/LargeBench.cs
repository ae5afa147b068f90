using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using MoxApi.Bench.Loading;
using MoxApi.Bench.Measuring;
using MoxApi.Tests.Hosting;

namespace MoxApi.Bench.Scenarios;

/// <summary>Messages of 100 KB with an attachment, from POST to arrival; and many attachments of 25 MB at once, for the program's memory.</summary>
internal static class LargeBench
{
    private const string Name = "large";
    private const int Domains = 50;
    private const int Connections = 20;

    public static async Task RunAsync(BenchSite site, CancellationToken stop)
    {
        await using var stage = await site.OpenStageAsync();
        await using (var node = await stage.StartNodeAsync())
        {
            await stage.WarmUpAsync(node, site.Options.Domains, stop);
            await AttachmentsAsync(stage, node, site.Options.Count(usual: 500, quick: 20), isWarmUp: true, stop);
            for (var round = 0; round < site.Options.Rounds; round++)
            {
                await AttachmentsAsync(stage, node, site.Options.Count(usual: 2_000, quick: 20), isWarmUp: false, stop);
                await MultipartAsync(stage, node, stop);
            }
            await stage.CheckBooksAsync(waiting: 0, stop);
        }
    }

    // The way of a larger body is another one than that of the usual warm-up.
    private static async Task AttachmentsAsync(Stage stage, MoxApiProcess node, int count, bool isWarmUp, CancellationToken stop)
    {
        var (run, tally) = stage.Site.NextRun(count);
        var request = Messages.Request(run, stage.Installation.ApiKey, Convert.ToBase64String(RandomNumberGenerator.GetBytes(72_000)));
        var meter = stage.Measure(node);
        var load = await Load.RunAsync(0, count, Connections, HttpLoad.To(node.Http, request, Math.Min(Domains, stage.Site.Options.Domains)), stop);
        await ReportAsync(stage, isWarmUp ? null : "100 KB, 20 connections", run, tally, load, meter, count, stop);
    }

    private static async Task MultipartAsync(Stage stage, MoxApiProcess node, CancellationToken stop)
    {
        var size = stage.Site.Options.Quick ? 1 << 20 : 25_000_000;
        const string What = "25 MB multipart, 20 connections";
        if (!await Probe.TakesAsync(node, stage.Installation.ApiKey, "/v1/messages", stop, "multipart/form-data; boundary=" + Parts.Boundary))
        {
            stage.Site.Report.NotAvailable(Name, What, "the API takes no multipart");
            return;
        }
        var count = Connections * 2;
        var (run, tally) = stage.Site.NextRun(count);
        var file = RandomNumberGenerator.GetBytes(size);
        var meter = stage.Measure(node);
        var load = await Load.RunAsync(0, count, Connections, async cancel =>
            new Parts(await HttpConnection.OpenAsync(node.Http, cancel), run, stage.Installation.ApiKey, file, Math.Min(Domains, stage.Site.Options.Domains)), stop);
        await ReportAsync(stage, What, run, tally, load, meter, count, stop);
    }

    private static async Task ReportAsync(Stage stage, string? what, string run, Tally tally, LoadResult load, Meter meter, int count, CancellationToken stop)
    {
        await tally.ReachesAsync(count, stop);
        var figures = meter.Read(count).ToArray();
        await stage.Installation.QueueIsEmptyAsync();
        await stage.ArrivedAsync(run, tally, load, count, stop);
        if (what is not null) stage.Site.Report.Add(Name, what, [Figure.Rate(tally.Distinct, Stopwatch.GetElapsedTime(load.SentAt.Min(), tally.LastAt)), .. Figure.Times(load.Milliseconds()), .. figures]);
    }

    /// <summary>Multipart requests whose file all connections share.</summary>
    private sealed class Parts : ILoadConnection
    {
        public const string Boundary = "bench-7f3a";

        private static readonly byte[] End = Encoding.ASCII.GetBytes($"\r\n--{Boundary}--\r\n");

        private readonly HttpConnection connection;
        private readonly Template start;
        private readonly byte[] octets;
        private readonly byte[] file;
        private readonly int domains;

        public Parts(HttpConnection connection, string run, string key, byte[] file, int domains)
        {
            (this.connection, this.file, this.domains) = (connection, file, domains);
            var parts = $"--{Boundary}\r\nContent-Disposition: form-data; name=\"message\"\r\nContent-Type: application/json\r\n\r\n{Messages.Json(run)}\r\n"
                + $"--{Boundary}\r\nContent-Disposition: form-data; name=\"attachment\"; filename=\"film.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n";
            var length = Encoding.UTF8.GetByteCount(parts) + file.Length + End.Length;
            start = new(HttpConnection.Header("/v1/messages", key, length, $"multipart/form-data; boundary={Boundary}") + parts);
            octets = start.Copy();
        }

        public async ValueTask<string?> SendAsync(int number, CancellationToken stop)
        {
            start.Fill(octets, number, domains);
            return await connection.SendAsync(stop, octets, file, End) is >= 200 and < 300 ? null : connection.Describe();
        }

        public ValueTask DisposeAsync()
        {
            connection.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
