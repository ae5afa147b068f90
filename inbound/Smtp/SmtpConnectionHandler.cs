using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using MoxApi.Inbound.Connections;
using MoxApi.Migrations.Writing;

namespace MoxApi.Inbound.Smtp;

/// <summary>What all sessions of the server share.</summary>
internal sealed record SmtpServer(ISmtpBackend Backend, SmtpOptions Options, BytesInFlight InFlight, SmtpMetrics Metrics, TimeProvider Time, ILogger Logger);

/// <summary>Runs SMTP on Kestrel's connections: one call is one connection's whole life.</summary>
internal sealed partial class SmtpConnectionHandler(
    ISmtpBackend backend, SmtpOptions options, BytesInFlight inFlight, SmtpMetrics metrics, TimeProvider time, ILogger<SmtpConnectionHandler> logger) : ConnectionHandler
{
    private readonly SmtpServer server = new(backend, options, inFlight, metrics, time, logger);
    private readonly ConnectionLimits limits = new(options.MaxConnections, options.MaxConnectionsPerNetwork);

    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        var peer = PeerOf(connection);
        await using var lifetime = new ConnectionLifetime(connection, time);
        using var place = limits.TryEnter(peer.Address);
        using var counted = metrics.Connected();
        var session = new SmtpSession(server, peer, connection, lifetime);
        try
        {
            if (place is null) session.TurnAway();
            else await session.RunAsync();
        }
        catch (Exception gone) when (gone is ConnectionResetException or ConnectionAbortedException)
        {
            Log.PeerLeft(logger, peer.Address);
        }
    }

    private static SmtpPeer PeerOf(ConnectionContext connection)
    {
        var address = (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.Loopback;
        return new SmtpPeer(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Debug, Message = "SMTP client {Peer} left without QUIT")]
        public static partial void PeerLeft(ILogger logger, IPAddress peer);
    }
}
