using System.Net;
using System.Net.Sockets;

namespace MoxApi.Mail.Connections;

/// <summary>
/// Makes all outgoing TCP connections. The guard judges the address that is connected to, never a name, so a name that resolves to another
/// address at the second look gains nothing.
/// </summary>
public sealed class Dialer(DialerOptions options, TimeProvider time)
{
    /// <summary>Connects, without delay for small writes (TCP_NODELAY).</summary>
    /// <param name="remote">The endpoint to connect to, before the map of the options.</param>
    /// <param name="allowPrivate">Whether this connection may lead to any address, as an administrator allowed for its purpose.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The connection; closing the stream closes it.</returns>
    /// <exception cref="DialException">The address is refused, or no connection came about.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was canceled.</exception>
    public async ValueTask<NetworkStream> ConnectAsync(IPEndPoint remote, bool allowPrivate = false, CancellationToken stop = default)
    {
        var target = Choose(remote, allowPrivate);
        using var deadline = new CancellationTokenSource(options.ConnectTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        try
        {
            return await ConnectAsync(target, either.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new DialException(DialFault.TimedOut, remote, $"{remote} did not answer within {options.ConnectTimeout.TotalSeconds:0.###} s.");
        }
        catch (SocketException e)
        {
            throw new DialException(DialFault.ConnectFailed, remote, $"{remote} cannot be reached: {e.SocketErrorCode}.", e);
        }
    }

    private IPEndPoint Choose(IPEndPoint remote, bool allowPrivate)
    {
        if (options.EndpointMap.TryGetValue(remote, out var mapped)) return mapped;
        if (allowPrivate || AddressGuard.IsPublic(remote.Address) || AddressGuard.IsIn(remote.Address, options.AllowNetworks)) return remote;
        throw new DialException(DialFault.AddressRefused, remote, $"The address {remote.Address} is not public, and not among the allowed networks.");
    }

    // Not even the socket need come about: the host may be without IPv6, or have no descriptor left.
    private static async Task<NetworkStream> ConnectAsync(IPEndPoint target, CancellationToken stop)
    {
        var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(target, stop);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
