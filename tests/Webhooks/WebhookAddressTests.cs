using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MoxApi.Mail.Connections;
using MoxApi.Tests.Peers;
using MoxApi.Webhooks.Posting;
using Xunit;

namespace MoxApi.Tests.Webhooks;

/// <summary>Where a webhook is sent to, and where it is not.</summary>
public sealed class WebhookAddressTests : WebhookSending
{
    [Fact]
    public async Task A_name_that_changes_its_mind_between_two_looks_is_not_followed_to_a_private_address()
    {
        // The public address is this machine's by the map; the private one is where a second receiver waits in vain.
        await using var inside = await WebhookReceiver.StartAsync();
        var looks = 0;
        var port = Receiver.Url.Port;
        var map = new Dictionary<IPEndPoint, IPEndPoint> { [new(IPAddress.Parse("93.184.216.34"), port)] = new(IPAddress.Loopback, port) };
        using var rebound = new WebhookSender(
            new Dialer(new() { EndpointMap = map }, TimeProvider.System),
            (_, _) => Task.FromResult<IPAddress[]>([Interlocked.Increment(ref looks) % 2 == 1 ? IPAddress.Parse("93.184.216.34") : IPAddress.Loopback]),
            Clock);
        // Without a connection kept, each post looks the name up.
        Receiver.Answer = inside.Answer = context =>
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
        Assert.Single(Receiver.Received);
        Assert.Empty(inside.Received);
    }

    [Fact]
    public async Task Loopback_is_refused_at_connect()
    {
        var result = await PostAsync(Receiver.Url, allowPrivate: false);

        Assert.Null(result.Status);
        Assert.Contains("127.0.0.1 is not public", result.Error, StringComparison.Ordinal);
        Assert.Empty(Receiver.Received);
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
        Addresses = [IPAddress.Parse(address)];
        var result = await PostAsync(new($"http://hooks.example.com:{Receiver.Url.Port}/hook"), allowPrivate: false);

        Assert.Contains("is not public", result.Error, StringComparison.Ordinal);
        Assert.Equal(["hooks.example.com"], Resolved);
        Assert.Empty(Receiver.Received);
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
        var url = new Uri($"http://hooks.example.com:{Receiver.Url.Port}/hook");
        Assert.True((await PostAsync(url, allowPrivate: true)).Succeeded);

        Assert.Contains("is not public", (await PostAsync(url, allowPrivate: false)).Error, StringComparison.Ordinal);
        Assert.Single(Receiver.Received);
    }

    [Fact]
    public async Task A_second_address_is_tried_where_the_first_refuses()
    {
        Addresses = [IPAddress.Parse("127.0.0.77"), IPAddress.Loopback];

        Assert.True((await PostAsync(new($"http://hooks.example.com:{Receiver.Url.Port}/hook"))).Succeeded);
    }

    [Fact]
    public async Task A_name_without_addresses_is_a_failure()
    {
        Addresses = [];

        Assert.Equal("The name hooks.example.com has no address.", (await PostAsync(new("http://hooks.example.com/hook"))).Error);
    }

    [Fact]
    public async Task A_time_that_was_up_further_within_is_a_failure_and_not_our_giving_up()
    {
        Unresolved = new TaskCanceledException();

        Assert.Equal("No answer within 15 seconds.", (await PostAsync(new("http://hooks.example.com/hook"))).Error);
    }

    [Fact]
    public async Task What_nobody_expected_is_a_failure_too()
    {
        Unresolved = new NotSupportedException("Not this name.");

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
}
