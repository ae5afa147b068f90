using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace MoxApi.Inbound.Connections;

/// <summary>
/// Why and when a session ends that did not end itself: the peer left, it was silent for too long, or the server is stopping. One timer
/// serves the whole connection; it runs only while we wait for the peer.
/// </summary>
internal sealed class ConnectionLifetime : IAsyncDisposable
{
    private readonly CancellationToken closed;
    private readonly CancellationToken stopping;
    private readonly CancellationTokenSource silence = new();
    private readonly CancellationTokenSource pause;
    private readonly CancellationTokenSource any;
    private readonly ITimer timer;

    public ConnectionLifetime(ConnectionContext connection, TimeProvider time)
    {
        closed = connection.ConnectionClosed;
        stopping = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None;
        pause = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, stopping);
        any = CancellationTokenSource.CreateLinkedTokenSource(closed, silence.Token, stopping);
        timer = time.CreateTimer(static silence => ((CancellationTokenSource)silence!).Cancel(), silence, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether the peer let a wait run out.</summary>
    public bool IsSilent => silence.IsCancellationRequested;

    /// <summary>Whether the server is stopping, and a session should end at its next pause.</summary>
    public bool IsStopping => stopping.IsCancellationRequested;

    /// <summary>Whether the session must not go on.</summary>
    public bool HasEnded => any.IsCancellationRequested;

    /// <summary>
    /// For reading a command: ends with silence and when the server stops. That the peer has closed its side shows in the pipe, after the last
    /// octet it sent.
    /// </summary>
    public CancellationToken Pause => pause.Token;

    /// <summary>For the middle of a message: ends with silence alone, so that a stopping server takes it to its end.</summary>
    public CancellationToken Silence => silence.Token;

    /// <summary>For work on behalf of a peer who waits: ends also when it leaves.</summary>
    public CancellationToken Any => any.Token;

    /// <summary>Starts to wait for the peer, anew.</summary>
    public void Expect(TimeSpan within) => timer.Change(within, Timeout.InfiniteTimeSpan);

    /// <summary>Stops waiting: it is our turn.</summary>
    public void Relax() => timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    public async ValueTask DisposeAsync()
    {
        // Waits for a callback that is running; the sources are disposed after it.
        await timer.DisposeAsync();
        pause.Dispose();
        any.Dispose();
        silence.Dispose();
    }
}
