using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MoxApi.Bench.Loading;

/// <summary>Messages from a <see cref="Template"/> over one SMTP connection, with the commands of a transaction in one write.</summary>
internal sealed class SmtpLoad : ILoadConnection
{
    private readonly NetworkStream stream;
    private readonly StreamReader replies;
    private readonly (Template Template, byte[] Octets) commands;
    private readonly (Template Template, byte[] Octets) message;
    private readonly int domains;

    private SmtpLoad(NetworkStream stream, Template commands, Template message, int domains)
    {
        (this.stream, this.domains) = (stream, domains);
        replies = new(stream, Encoding.ASCII);
        this.commands = (commands, commands.Copy());
        this.message = (message, message.Copy());
    }

    /// <summary>Opens connections for messages to a server.</summary>
    /// <param name="server">Where to; it must know PIPELINING.</param>
    /// <param name="commands">MAIL, RCPT and DATA.</param>
    /// <param name="message">The message, dots stuffed, with its final dot.</param>
    /// <param name="domains">To how many domains they go in turn.</param>
    public static Func<CancellationToken, Task<ILoadConnection>> To(IPEndPoint server, Template commands, Template message, int domains) => async stop =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, stop);
        var load = new SmtpLoad(new NetworkStream(socket, ownsSocket: true), commands, message, domains);
        await load.ExpectAsync(1, stop);
        await load.stream.WriteAsync("EHLO load.acme.example\r\n"u8.ToArray(), stop);
        await load.ExpectAsync(1, stop);
        return load;
    };

    /// <inheritdoc/>
    public async ValueTask<string?> SendAsync(int number, CancellationToken stop)
    {
        commands.Template.Fill(commands.Octets, number, domains);
        message.Template.Fill(message.Octets, number, domains);
        await stream.WriteAsync(commands.Octets, stop);
        if (await ExpectAsync(3, stop) is { } refusal) return refusal;
        await stream.WriteAsync(message.Octets, stop);
        return await ExpectAsync(1, stop);
    }

    public ValueTask DisposeAsync()
    {
        replies.Dispose();
        return stream.DisposeAsync();
    }

    /// <summary>Reads replies; returns the first that is a refusal.</summary>
    private async ValueTask<string?> ExpectAsync(int count, CancellationToken stop)
    {
        string? refusal = null;
        while (count > 0)
        {
            var line = await replies.ReadLineAsync(stop) ?? throw new IOException("The server closed the connection.");
            if (line.Length > 3 && line[3] == '-') continue;
            if (line[0] > '3') refusal ??= line;
            count--;
        }
        return refusal;
    }
}
