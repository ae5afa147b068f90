using System.Text;

namespace MoxApi.Tests.Peers;

/// <summary>What a scripted server does at a step: a reply, and perhaps something rude.</summary>
internal sealed record Act
{
    /// <summary>The octets to send, or null for none.</summary>
    public byte[]? Octets { get; private init; }

    /// <summary>Closes the connection afterwards.</summary>
    public bool Closes { get; private init; }

    /// <summary>Says no more on this connection, and keeps it open.</summary>
    public bool IsSilent { get; private init; }

    /// <summary>Sends the octets again and again, until the client has had enough.</summary>
    public bool Repeats { get; private init; }

    /// <summary>Waits before anything is sent.</summary>
    public Task Gate { get; private init; } = Task.CompletedTask;

    /// <summary>Closes the connection without a word.</summary>
    public static Act Disconnect { get; } = new() { Closes = true };

    /// <summary>Does not answer.</summary>
    public static Act Silence { get; } = new() { IsSilent = true };

    /// <summary>A reply that never ends.</summary>
    public static Act Endless(string line) => new() { Octets = Encoding.UTF8.GetBytes(line), Repeats = true };

    /// <summary>These octets and no others.</summary>
    public static Act Raw(string octets) => new() { Octets = Encoding.Latin1.GetBytes(octets) };

    /// <summary>A reply; its lines are joined by LF here, and get their CRLF.</summary>
    public static implicit operator Act(string reply) => new() { Octets = Encoding.UTF8.GetBytes(reply.Replace("\n", "\r\n") + "\r\n") };

    /// <summary>What to say, before closing, when the first octets of the content have come.</summary>
    public Act? Interruption { get; private init; }

    /// <summary>Stops reading in the middle of the content, says this, and closes.</summary>
    public Act ThenInterrupt(string reply) => this with { Interruption = reply };

    /// <summary>Reads nothing more, and keeps the connection open.</summary>
    public bool StopsReading { get; private init; }

    public Act ThenStopReading() => this with { StopsReading = true };

    public Act ThenDisconnect() => this with { Closes = true };

    public Act After(Task gate) => this with { Gate = gate };

    /// <summary>The first digit of the code, by which the server's own state goes on.</summary>
    internal char Class => Octets is { Length: > 0 } ? (char)Octets[0] : '0';

    internal string Text => Octets is null ? "" : Encoding.UTF8.GetString(Octets).TrimEnd('\r', '\n').Replace("\r\n", "\n");
}

/// <summary>In which pieces a scripted server sends.</summary>
internal enum Pace
{
    Whole,
    Line,
    Octet,
}
