using System.IO.Compression;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using MoxApi.Mail.Connections;
using MoxApi.Tests.Peers;
using MoxApi.Webhooks.Dispatch;
using MoxApi.Webhooks.Posting;
using MoxApi.Webhooks.Signing;
using Xunit;

namespace MoxApi.Tests.Webhooks;

public sealed class WebhookSenderTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero));
    private readonly WebhookSecret secret = WebhookSecret.Create();
    private readonly WebhookSender sender;
    private readonly List<string> resolved = [];
    private IPAddress[] addresses = [IPAddress.Loopback];
    private Exception? unresolved;
    private WebhookReceiver receiver = null!;

    public WebhookSenderTests() => sender = new(
        new Dialer(new(), TimeProvider.System),
        (host, _) =>
        {
            lock (resolved) resolved.Add(host);
            return unresolved is null ? Task.FromResult(addresses) : Task.FromException<IPAddress[]>(unresolved);
        },
        clock);

    public async ValueTask InitializeAsync() => receiver = await WebhookReceiver.StartAsync();

    public async ValueTask DisposeAsync()
    {
        sender.Dispose();
        await receiver.DisposeAsync();
    }

    [Fact]
    public async Task The_event_arrives_signed_and_as_it_was()
    {
        var result = await PostAsync(receiver.Url);

        Assert.True(result.Succeeded);
        Assert.Null(result.Error);
        var had = Assert.Single(receiver.Received);
        Assert.Equal("/hook", had.Path);
        Assert.Equal("""{"hello":"wörld"}"""u8.ToArray(), had.Body);
        Assert.Equal("evt_1", had.Id);
        Assert.Equal("1795341600", had.Headers["webhook-timestamp"]);
        Assert.Equal("application/json", had.Headers["Content-Type"]);
        Assert.Matches(@"^MoxApi/\d+\.\d+\.\d+ \(webhook\)$", had.Headers["User-Agent"]);
        Assert.Equal(WebhookVerdict.Authentic, had.Verify(secret, clock.GetUtcNow()));
    }

    [Fact]
    public async Task Nothing_is_sent_that_the_endpoint_has_no_use_for()
    {
        using var activity = new System.Diagnostics.Activity("test").Start();
        await PostAsync(receiver.Url);

        Assert.Equal(
            ["Content-Length", "Content-Type", "Host", "User-Agent", "webhook-id", "webhook-signature", "webhook-timestamp"],
            receiver.Received.Single().Headers.Keys.Order(StringComparer.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_cookie_is_not_sent_back()
    {
        receiver.Answer = context =>
        {
            context.Response.Cookies.Append("visitor", "1");
            return Task.CompletedTask;
        };
        await PostAsync(receiver.Url);
        await PostAsync(receiver.Url);

        Assert.Equal(2, receiver.Received.Length);
        Assert.DoesNotContain("Cookie", receiver.Received[1].Headers.Keys);
    }

    [Fact]
    public async Task A_proxy_of_the_environment_is_not_asked()
    {
        // For this name alone: it is the whole process's.
        const string Host = "not-through-a-proxy.example";
        var (before, proxy) = (HttpClient.DefaultProxy, new ProxyFor(Host));
        HttpClient.DefaultProxy = proxy;
        try
        {
            Assert.True((await PostAsync(new($"http://{Host}:{receiver.Url.Port}/hook"))).Succeeded);
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }

        Assert.Equal(0, proxy.Asked);
        Assert.Equal([Host], resolved);
    }

    [Fact]
    public async Task A_connection_is_used_again_whatever_the_answer_said()
    {
        receiver.Answer = context => context.Response.WriteAsync(new string('x', 5000));
        await PostAsync(receiver.Url);
        await PostAsync(receiver.Url);

        Assert.Single(receiver.Received.Select(r => r.Connection).Distinct());
    }

    [Fact]
    public async Task An_answer_outside_2xx_is_a_failure_told_with_its_beginning()
    {
        receiver.Answer = context =>
        {
            context.Response.StatusCode = 500;
            return context.Response.WriteAsync("database\r\nis \0down \u001b[31m " + new string('x', 50_000));
        };
        var result = await PostAsync(receiver.Url);

        Assert.False(result.Succeeded);
        Assert.Equal(500, result.Status);
        Assert.StartsWith("The endpoint answered 500: database  is  down  [31m xxx", result.Error, StringComparison.Ordinal);
        Assert.True(result.Error!.Length <= 400);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_a_failure_and_not_followed(int status)
    {
        receiver.Answer = context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = "/elsewhere";
            return Task.CompletedTask;
        };
        var result = await PostAsync(receiver.Url);

        Assert.Equal((status, false), (result.Status!.Value, result.Succeeded));
        Assert.Single(receiver.Received);
    }

    [Fact]
    public async Task A_compressed_answer_is_not_unpacked()
    {
        using var bomb = new MemoryStream();
        using (var zip = new GZipStream(bomb, CompressionLevel.SmallestSize, leaveOpen: true)) zip.Write(new byte[20 << 20]);
        receiver.Answer = async context =>
        {
            context.Response.StatusCode = 500;
            context.Response.Headers.ContentEncoding = "gzip";
            await context.Response.Body.WriteAsync(bomb.ToArray());
        };
        var result = await PostAsync(receiver.Url);

        Assert.Equal(500, result.Status);
        Assert.DoesNotContain(receiver.Received.Single().Headers.Keys, name => name.Equals("Accept-Encoding", StringComparison.OrdinalIgnoreCase));
        Assert.True(result.Error!.Length <= 400);
    }

    [Fact]
    public async Task A_bomb_is_kept_packed_and_no_more_of_it_than_64_KiB()
    {
        using var bomb = new MemoryStream();
        using (var zip = new GZipStream(bomb, CompressionLevel.Fastest, leaveOpen: true)) zip.Write(new byte[32 << 20]);
        receiver.Answer = async context =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            await context.Response.Body.WriteAsync(bomb.ToArray());
        };
        var result = await PostAsync(receiver.Url);

        Assert.True(bomb.Length > 64 << 10);
        Assert.True(result.Succeeded);
        Assert.Equal(bomb.ToArray()[..(64 << 10)], result.ResponseBody);
        Assert.Contains("\"Content-Encoding\":\"gzip\"", result.ResponseHeaders, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_said_on_both_sides_is_told()
    {
        receiver.Answer = context =>
        {
            context.Response.Headers.Append("X-Trace", new(["one", "two"]));
            context.Response.ContentType = "text/plain";
            return context.Response.WriteAsync("thank you ☺");
        };
        var result = await PostAsync(receiver.Url);

        var sent = JsonSerializer.Deserialize<Dictionary<string, string>>(result.RequestHeaders!)!;
        Assert.Equal(receiver.Received.Single().Headers.OrderBy(h => h.Key, StringComparer.OrdinalIgnoreCase), sent.OrderBy(h => h.Key, StringComparer.OrdinalIgnoreCase));
        var had = JsonSerializer.Deserialize<Dictionary<string, string>>(result.ResponseHeaders!)!;
        Assert.Equal(("one, two", "text/plain"), (had["X-Trace"], had["Content-Type"]));
        Assert.Equal("thank you ☺"u8.ToArray(), result.ResponseBody);
    }

    [Fact]
    public async Task A_success_whose_text_drips_is_a_success_after_two_seconds_and_not_a_quick_one()
    {
        await using var peer = new RawHttpPeer(async (stream, stop) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok"u8.ToArray(), stop);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        });
        var posting = PostAsync(peer.Url);
        await peer.Asked.Task.WaitAsync(Patience);
        await AdvanceUntilDoneAsync(posting);

        var result = await posting.WaitAsync(Patience);
        Assert.True(result.Succeeded);
        Assert.Equal("ok"u8.ToArray(), result.ResponseBody);
        Assert.True(result.Duration >= EndpointLane.Quick);
    }

    [Fact]
    public async Task A_name_that_changes_its_mind_between_two_looks_is_not_followed_to_a_private_address()
    {
        // The public address is this machine's by the map; the private one is where a second receiver waits in vain.
        await using var inside = await WebhookReceiver.StartAsync();
        var looks = 0;
        var port = receiver.Url.Port;
        var map = new Dictionary<IPEndPoint, IPEndPoint> { [new(IPAddress.Parse("93.184.216.34"), port)] = new(IPAddress.Loopback, port) };
        using var rebound = new WebhookSender(
            new Dialer(new() { EndpointMap = map }, TimeProvider.System),
            (_, _) => Task.FromResult<IPAddress[]>([Interlocked.Increment(ref looks) % 2 == 1 ? IPAddress.Parse("93.184.216.34") : IPAddress.Loopback]),
            clock);
        // Without a connection kept, each post looks the name up.
        receiver.Answer = inside.Answer = context =>
        {
            context.Response.Headers.Connection = "close";
            return Task.CompletedTask;
        };

        var first = await rebound.PostAsync(Post(new($"http://hooks.example.com:{port}/hook"), false), default);
        var second = await rebound.PostAsync(Post(new($"http://hooks.example.com:{port}/hook"), false), default);
        var third = await rebound.PostAsync(Post(new($"http://hooks.example.com:{inside.Url.Port}/hook"), false), default);

        Assert.True(first.Succeeded);
        Assert.Contains("127.0.0.1 is not public", second.Error, StringComparison.Ordinal);
        Assert.False(third.Succeeded);
        Assert.Equal(3, looks); // One look for each connection: what was judged is what is connected to.
        Assert.Single(receiver.Received);
        Assert.Empty(inside.Received);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")]
    [InlineData("HTTP/1.1 500 No\r\n\r\n")]
    public async Task An_answer_without_end_is_hung_up_on(string header)
    {
        await using var peer = new RawHttpPeer(async (stream, stop) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(header), stop);
            while (true) await stream.WriteAsync(new byte[64 << 10], stop);
        });
        var result = await PostAsync(peer.Url).WaitAsync(Patience);

        Assert.Equal(header.Contains("200", StringComparison.Ordinal), result.Succeeded);
        await Assert.ThrowsAsync<IOException>(() => peer.Ended.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_header_without_end_is_a_failure()
    {
        await using var peer = new RawHttpPeer(async (stream, stop) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\n"u8.ToArray(), stop);
            while (true) await stream.WriteAsync("X-More: and more and more and more and more\r\n"u8.ToArray(), stop);
        });
        var result = await PostAsync(peer.Url).WaitAsync(Patience);

        Assert.Null(result.Status);
        Assert.NotNull(result.Error);
    }

    [Fact]
    public async Task An_endpoint_that_does_not_answer_costs_fifteen_seconds()
    {
        receiver.Answer = context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        var posting = PostAsync(receiver.Url);
        await receiver.ArrivedAsync();

        clock.Advance(TimeSpan.FromSeconds(14.9));
        Assert.False(posting.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(0.2));
        var result = await posting.WaitAsync(Patience);
        Assert.Null(result.Status);
        Assert.Equal("No answer within 15 seconds.", result.Error);
        Assert.Equal(15.1, result.Duration.TotalSeconds, 3);
    }

    [Fact]
    public async Task Drops_of_a_header_do_not_buy_time()
    {
        await using var peer = new RawHttpPeer(async (stream, stop) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nX-Slow: "u8.ToArray(), stop);
            while (true)
            {
                await stream.WriteAsync("."u8.ToArray(), stop);
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, stop);
            }
        });
        var posting = PostAsync(peer.Url);
        await peer.Asked.Task.WaitAsync(Patience);

        clock.Advance(WebhookSender.Deadline);
        Assert.Equal("No answer within 15 seconds.", (await posting.WaitAsync(Patience)).Error);
    }

    [Fact]
    public async Task A_failure_whose_text_drips_is_told_with_what_came()
    {
        await using var peer = new RawHttpPeer(async (stream, stop) =>
        {
            await stream.WriteAsync("HTTP/1.1 503 No\r\nContent-Length: 100\r\n\r\nbusy"u8.ToArray(), stop);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        });
        var posting = PostAsync(peer.Url);
        await peer.Asked.Task.WaitAsync(Patience);
        await AdvanceUntilDoneAsync(posting);

        var result = await posting;
        Assert.Equal((503, "The endpoint answered 503: busy"), (result.Status, result.Error));
    }

    [Fact]
    public async Task Gone_is_told_apart()
    {
        receiver.Answer = context =>
        {
            context.Response.StatusCode = 410;
            return Task.CompletedTask;
        };
        var result = await PostAsync(receiver.Url);

        Assert.True(result.IsGone);
        Assert.False(result.Succeeded);
        Assert.Equal("The endpoint answered 410", result.Error);
    }

    [Theory]
    [InlineData(429, "120", 120)]
    [InlineData(503, "120", 120)]
    [InlineData(429, "Sun, 22 Nov 2026 10:05:00 GMT", 300)]
    [InlineData(429, "Sun, 22 Nov 2026 09:00:00 GMT", null)]
    [InlineData(429, "soon", null)]
    [InlineData(429, "-5", null)]
    [InlineData(502, "120", 120)]
    [InlineData(504, "120", 120)]
    [InlineData(500, "120", null)]
    public async Task Retry_after_is_read_where_it_means_something(int status, string header, int? seconds)
    {
        receiver.Answer = context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.RetryAfter = header;
            return Task.CompletedTask;
        };

        Assert.Equal(seconds, (int?)(await PostAsync(receiver.Url)).RetryAfter?.TotalSeconds);
    }

    [Fact]
    public async Task Loopback_is_refused_at_connect()
    {
        var result = await PostAsync(receiver.Url, allowPrivate: false);

        Assert.Null(result.Status);
        Assert.Contains("127.0.0.1 is not public", result.Error, StringComparison.Ordinal);
        Assert.Empty(receiver.Received);
    }

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("100.64.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("fd00::1")]
    public async Task A_name_that_leads_to_an_address_that_is_not_public_is_refused(string address)
    {
        addresses = [IPAddress.Parse(address)];
        var result = await PostAsync(new($"http://hooks.example.com:{receiver.Url.Port}/hook"), allowPrivate: false);

        Assert.Contains("is not public", result.Error, StringComparison.Ordinal);
        Assert.Equal(["hooks.example.com"], resolved);
        Assert.Empty(receiver.Received);
    }

    [Theory]
    [InlineData("http://2130706433/hook")]
    [InlineData("http://0x7f.1/hook")]
    [InlineData("http://[::ffff:127.0.0.1]/hook")]
    [InlineData("http://[::1]/hook")]
    public async Task Other_ways_to_write_loopback_are_refused(string url) =>
        Assert.Contains("is not public", (await PostAsync(new(url), allowPrivate: false)).Error, StringComparison.Ordinal);

    [Fact]
    public async Task A_connection_opened_for_an_endpoint_that_may_is_not_lent_to_one_that_may_not()
    {
        var url = new Uri($"http://hooks.example.com:{receiver.Url.Port}/hook");
        Assert.True((await PostAsync(url, allowPrivate: true)).Succeeded);

        Assert.Contains("is not public", (await PostAsync(url, allowPrivate: false)).Error, StringComparison.Ordinal);
        Assert.Single(receiver.Received);
    }

    [Fact]
    public async Task A_second_address_is_tried_where_the_first_refuses()
    {
        addresses = [IPAddress.Parse("127.0.0.77"), IPAddress.Loopback];

        Assert.True((await PostAsync(new($"http://hooks.example.com:{receiver.Url.Port}/hook"))).Succeeded);
    }

    [Fact]
    public async Task A_name_without_addresses_is_a_failure()
    {
        addresses = [];

        Assert.Equal("The name hooks.example.com has no address.", (await PostAsync(new("http://hooks.example.com/hook"))).Error);
    }

    [Fact]
    public async Task A_time_that_was_up_further_within_is_a_failure_and_not_our_giving_up()
    {
        unresolved = new TaskCanceledException();

        Assert.Equal("No answer within 15 seconds.", (await PostAsync(new("http://hooks.example.com/hook"))).Error);
    }

    [Fact]
    public async Task What_nobody_expected_is_a_failure_too()
    {
        unresolved = new NotSupportedException("Not this name.");

        Assert.Equal("Not this name.", (await PostAsync(new("http://hooks.example.com/hook"))).Error);
    }

    [Fact]
    public async Task A_certificate_that_nobody_vouches_for_is_refused()
    {
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var posting = PostAsync(new($"https://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/hook"));
        using var client = await listener.AcceptTcpClientAsync().WaitAsync(Patience);
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsServerAsync(certificate).ContinueWith(_ => { }, TaskScheduler.Default).WaitAsync(Patience);

        var result = await posting.WaitAsync(Patience);
        Assert.Null(result.Status);
        Assert.Contains("certificate", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopping_leaves_the_call_undecided()
    {
        receiver.Answer = context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        using var stop = new CancellationTokenSource();
        var posting = PostAsync(receiver.Url, stop: stop.Token);
        await receiver.ArrivedAsync();
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => posting.WaitAsync(Patience));
    }

    private Task<PostResult> PostAsync(Uri url, bool allowPrivate = true, CancellationToken stop = default) =>
        sender.PostAsync(Post(url, allowPrivate), stop);

    private WebhookPost Post(Uri url, bool allowPrivate) => new(url, allowPrivate, [secret], "evt_1", """{"hello":"wörld"}"""u8.ToArray());

    private async Task AdvanceUntilDoneAsync(Task task)
    {
        for (var i = 0; i < 1000 && !task.IsCompleted; i++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(10)); // In all less than the deadline.
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }

    private sealed class ProxyFor(string host) : IWebProxy
    {
        public int Asked { get; private set; }

        public ICredentials? Credentials { get; set; }

        public Uri? GetProxy(Uri destination)
        {
            Asked++;
            return null;
        }

        public bool IsBypassed(Uri hostUri) => hostUri.Host != host;
    }
}
