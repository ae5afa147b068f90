using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using MoxApi.Bench.Loading;
using MoxApi.Bench.Measuring;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Connections;
using MoxApi.Mail.Smtp.Client;
using Npgsql;

namespace MoxApi.Bench.Scenarios;

/// <summary>What stands behind the program's figures: none can be better than the machine, and none may be held back by these tools.</summary>
internal static class LimitsBench
{
    private const string Name = "limits";

    public static async Task RunAsync(BenchSite site, CancellationToken stop)
    {
        for (var round = 0; round < site.Options.Rounds; round++)
        {
            await AddAsync(site, "fsync of 8 KB on the data folder's disk", FlushAsync);
            await AddAsync(site, "PostgreSQL commits of one row, 32 connections", CommitAsync);
            await AddAsync(site, "RSA-2048 signatures, all cores", SignAsync);
            await AddAsync(site, "our SMTP client to the sink, 8 connections", SmtpAsync);
            await AddAsync(site, "the load's HTTP requests to a server that does nothing, 32 connections", HttpAsync);
        }

        async Task AddAsync(BenchSite site, string what, Func<BenchSite, CancellationToken, Task<Figure>> measure)
        {
            var load = Meter.LoadAverage();
            site.Report.Add(Name, what, await measure(site, stop), new("load", load));
        }
    }

    private static Task<Figure> FlushAsync(BenchSite site, CancellationToken stop) => Task.Run(() =>
    {
        var count = site.Options.Quick ? 5 : 300;
        var path = site.PathOf("fsync");
        var block = RandomNumberGenerator.GetBytes(8192);
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write, options: FileOptions.DeleteOnClose);
        RandomAccess.Write(file, block, 0);
        var start = Stopwatch.GetTimestamp();
        for (var n = 0; n < count && !stop.IsCancellationRequested; n++)
        {
            RandomAccess.Write(file, block, 0);
            RandomAccess.FlushToDisk(file);
        }
        return Figure.Rate(count, Stopwatch.GetElapsedTime(start));
    }, stop);

    private static async Task<Figure> CommitAsync(BenchSite site, CancellationToken stop)
    {
        var count = site.Options.Count(usual: 20_000, quick: 50);
        var connectionString = await site.Cluster.CreateEmptyDatabaseAsync();
        await using (var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 32, MaxAutoPrepare = 4, AutoPrepareMinUsages = 1 }))
        {
            await using (var make = source.CreateCommand("CREATE TABLE committed (id int)")) await make.ExecuteNonQueryAsync(stop);
            var load = await Load.RunAsync(0, count, 32, async cancel => new Commits(await source.OpenConnectionAsync(cancel)), stop);
            await site.Cluster.DropDatabaseAsync(connectionString);
            return Figure.Rate(count, load.Elapsed);
        }
    }

    private static async Task<Figure> SignAsync(BenchSite site, CancellationToken stop)
    {
        var each = site.Options.Quick ? 10 : 2000;
        var hash = SHA256.HashData("bench"u8);
        var keys = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => RSA.Create(2048)).ToList();
        // A key is made when it is first used, which takes as long as hundreds of signatures.
        foreach (var key in keys) Sign(key);
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(keys.Select(key => Task.Run(() =>
        {
            for (var n = 0; n < each; n++) Sign(key);
        }, stop)));
        var elapsed = Stopwatch.GetElapsedTime(start);
        foreach (var key in keys) key.Dispose();
        return Figure.Rate(each * keys.Count, elapsed);

        void Sign(RSA key) => key.SignHash(hash, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    private static async Task<Figure> SmtpAsync(BenchSite site, CancellationToken stop)
    {
        var count = site.Options.Count(usual: 20_000, quick: 50);
        var (run, tally) = site.NextRun(count);
        var dialer = new Dialer(new DialerOptions(), TimeProvider.System);
        var connector = new SmtpConnector(dialer, new SmtpClientOptions { HostName = "mail.acme.example" }, TimeProvider.System);
        var load = await Load.RunAsync(0, count, 8, async cancel => new OurClient(await OpenAsync(connector, site.Sink.EndPoint, cancel), run), stop);
        site.Report.Refused(run, load.Refusals);
        site.Report.Counted(run, Enumerable.Range(0, count).Select(n => tally.CountOf(Messages.Id(run, n))));
        return Figure.Rate(count, load.Elapsed);
    }

    private static async Task<SmtpConnection> OpenAsync(SmtpConnector connector, IPEndPoint server, CancellationToken stop)
    {
        var opening = await connector.OpenAsync(new SmtpTarget(server, "mx.example.net", AllowPrivate: true), stop);
        return opening.Connection ?? throw new IOException($"The sink cannot be reached: {opening.Failure}");
    }

    private static async Task<Figure> HttpAsync(BenchSite site, CancellationToken stop)
    {
        var count = site.Options.Count(usual: 50_000, quick: 50);
        var request = Messages.Request("none", "none");
        var load = await Load.RunAsync(0, count, site.Options.Connections, HttpLoad.To(new Uri(site.Webhooks.Url, "/"), request, domains: 1), stop);
        site.Report.Refused("limits", load.Refusals);
        return Figure.Rate(count, load.Elapsed);
    }

    private sealed class Commits(NpgsqlConnection connection) : ILoadConnection
    {
        private readonly NpgsqlCommand insert = new("INSERT INTO committed VALUES (1)", connection);

        public async ValueTask<string?> SendAsync(int number, CancellationToken stop)
        {
            await insert.ExecuteNonQueryAsync(stop);
            return null;
        }

        public async ValueTask DisposeAsync()
        {
            await insert.DisposeAsync();
            await connection.DisposeAsync();
        }
    }

    /// <summary>The program's own SMTP client.</summary>
    private sealed class OurClient(SmtpConnection connection, string run) : ILoadConnection
    {
        private static readonly byte[] Body = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("All work and no play makes Jack a dull boy, says the proverb.\r\n", 35)));

        private static readonly SmtpEnvelope Envelope = new() { ReversePath = MailAddress.Parse("bounce@acme.example"), ForwardPaths = [MailAddress.Parse("jane@example.net")] };

        public async ValueTask<string?> SendAsync(int number, CancellationToken stop)
        {
            var header = Encoding.ASCII.GetBytes($"Message-ID: {Messages.Id(run, number)}\r\nSubject: limits\r\n\r\n");
            var sent = await connection.SendAsync(Envelope, new SmtpContent(header, Body), stop: stop);
            return sent.Recipients[0].Outcome == SmtpRecipientOutcome.Delivered ? null : $"{sent.Recipients[0].Verdict}";
        }

        public async ValueTask DisposeAsync()
        {
            await connection.QuitAsync();
            await connection.DisposeAsync();
        }
    }
}
