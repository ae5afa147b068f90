using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using MoxApi.Mail.Connections;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Mail.Connections;

public sealed class DialerTests : IDisposable
{
    private static readonly IPEndPoint Documented = IPEndPoint.Parse("192.0.2.10:25");

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly IPEndPoint _here;

    public DialerTests()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _here = (IPEndPoint)_listener.LocalEndPoint!;
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task Loopback_is_refused_before_anything_is_sent()
    {
        _listener.Listen();

        var e = await Assert.ThrowsAsync<DialException>(() => Dialer(new()).ConnectAsync(_here, stop: Stop).AsTask());

        Assert.Equal(DialFault.AddressRefused, e.Fault);
        Assert.Equal(_here, e.EndPoint);
        Assert.False(_listener.Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public async Task A_listed_network_is_connected_to_without_delay_for_small_writes()
    {
        _listener.Listen();

        await using var stream = await Dialer(new() { AllowNetworks = [IPNetwork.Parse("127.0.0.0/8")] }).ConnectAsync(_here, stop: Stop);

        Assert.True(stream.Socket.NoDelay);
        Assert.Equal(_here, stream.Socket.RemoteEndPoint);
    }

    [Fact]
    public async Task A_call_may_be_allowed_a_private_address()
    {
        _listener.Listen();

        await using var stream = await Dialer(new()).ConnectAsync(_here, allowPrivate: true, Stop);

        Assert.Equal(_here, stream.Socket.RemoteEndPoint);
    }

    [Fact]
    public async Task A_mapped_endpoint_is_connected_to_in_place_of_the_other()
    {
        _listener.Listen();
        var dialer = Dialer(new() { EndpointMap = new Dictionary<IPEndPoint, IPEndPoint> { [Documented] = _here } });

        await using var stream = await dialer.ConnectAsync(Documented, stop: Stop);

        Assert.Equal(_here, stream.Socket.RemoteEndPoint);
        var other = await Assert.ThrowsAsync<DialException>(() => dialer.ConnectAsync(IPEndPoint.Parse("192.0.2.10:26"), stop: Stop).AsTask());
        Assert.Equal(DialFault.AddressRefused, other.Fault);
    }

    [Fact]
    public async Task A_port_where_nobody_listens_is_a_failed_connection()
    {
        var e = await Assert.ThrowsAsync<DialException>(() => Dialer(new()).ConnectAsync(_here, allowPrivate: true, Stop).AsTask());

        Assert.Equal(DialFault.ConnectFailed, e.Fault);
        Assert.Contains("ConnectionRefused", e.Message);
    }

    [Fact]
    public async Task An_address_family_that_this_host_does_not_have_is_a_failed_connection()
    {
        var dialer = Dialer(new() { EndpointMap = new Dictionary<IPEndPoint, IPEndPoint> { [Documented] = new UnknownFamily() } });

        var e = await Assert.ThrowsAsync<DialException>(() => dialer.ConnectAsync(Documented, stop: Stop).AsTask());

        Assert.Equal((DialFault.ConnectFailed, Documented), (e.Fault, e.EndPoint));
        Assert.Contains("AddressFamilyNotSupported", e.Message);
    }

    [Fact]
    public async Task A_host_that_does_not_answer_times_out()
    {
        var time = new FakeTimeProvider();
        var connecting = ConnectToFullQueueAsync(time, Stop);

        await time.AdvanceUntilAsync(connecting, TimeSpan.FromSeconds(10));

        var e = await Assert.ThrowsAsync<DialException>(() => connecting);
        Assert.Equal(DialFault.TimedOut, e.Fault);
        Assert.Contains("30 s", e.Message);
    }

    [Fact]
    public async Task A_caller_who_gives_up_gets_a_cancellation()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var connecting = ConnectToFullQueueAsync(new FakeTimeProvider(), stop.Token);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);
    }

    private static Dialer Dialer(DialerOptions options) => new(options, TimeProvider.System);

    /// <summary>Connects where the queue of connections that nobody accepts is full, so that the kernel drops the first packet.</summary>
    private async Task<NetworkStream> ConnectToFullQueueAsync(TimeProvider time, CancellationToken stop)
    {
        _listener.Listen(1);
        var fillers = Enumerable.Range(0, 8).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)).ToList();
        try
        {
            foreach (var filler in fillers) _ = filler.ConnectAsync(_here, CancellationToken.None).AsTask().ContinueWith(static t => t.Exception, TaskScheduler.Default);
            return await new Dialer(new DialerOptions(), time).ConnectAsync(_here, allowPrivate: true, stop);
        }
        finally
        {
            fillers.ForEach(static f => f.Dispose());
        }
    }

    /// <summary>As an IPv6 address is to a host without IPv6.</summary>
    private sealed class UnknownFamily() : IPEndPoint(IPAddress.Loopback, 25)
    {
        public override AddressFamily AddressFamily => AddressFamily.AppleTalk;
    }
}
