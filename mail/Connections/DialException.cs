using System.Net;

namespace MoxApi.Mail.Connections;

/// <summary>Why a connection could not be made.</summary>
public enum DialFault
{
    /// <summary>The address is not public and not allowed; nothing was sent.</summary>
    AddressRefused,

    /// <summary>The network or the host refused.</summary>
    ConnectFailed,

    /// <summary>No answer within <see cref="DialerOptions.ConnectTimeout"/>.</summary>
    TimedOut,
}

/// <summary>A connection could not be made; the message is a sentence for people.</summary>
public sealed class DialException : IOException
{
    internal DialException(DialFault fault, IPEndPoint endPoint, string message, Exception? cause = null)
        : base(message, cause)
    {
        Fault = fault;
        EndPoint = endPoint;
    }

    /// <summary>Why.</summary>
    public DialFault Fault { get; }

    /// <summary>The endpoint that was asked for.</summary>
    public IPEndPoint EndPoint { get; }
}
