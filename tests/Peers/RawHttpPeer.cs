using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MoxApi.Tests.Peers;

/// <summary>A server for one connection that reads a request's header and then sends what a real HTTP server would not.</summary>
internal sealed class RawHttpPeer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly Task serving;

    public RawHttpPeer(Func<NetworkStream, CancellationToken, Task> answer)
    {
        listener.Start();
        serving = ServeAsync(answer);
    }

    public Uri Url => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/hook");

    /// <summary>Completes when the request's header has come.</summary>
    public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the client has closed the connection, or it was closed to it.</summary>
    public Task Ended => serving;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stopping.Dispose();
    }

    private async Task ServeAsync(Func<NetworkStream, CancellationToken, Task> answer)
    {
        using var client = await listener.AcceptTcpClientAsync(stopping.Token);
        await using var stream = client.GetStream();
        var seen = "";
        var octets = new byte[4096];
        while (!seen.Contains("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(octets, stopping.Token) is var count and > 0)
            seen += Encoding.ASCII.GetString(octets, 0, count);
        Asked.TrySetResult();
        await answer(stream, stopping.Token);
    }
}
