using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace MoxApi.Tests.Peers;

/// <summary>One connection of a <see cref="ScriptedSmtpServer"/>.</summary>
internal sealed class ScriptedSmtpSession(ScriptedSmtpServer server, Socket socket) : IAsyncDisposable
{
    private readonly List<string> _transcript = [];
    private readonly List<ReceivedMessage> _messages = [];
    private readonly List<string> _violations = [];
    private readonly List<string> _rcpts = [];
    private readonly byte[] _buffer = new byte[64 * 1024];
    private Stream _stream = new NetworkStream(socket, ownsSocket: true);
    private int _start;
    private int _end;
    private string? _mail;

    public IReadOnlyList<string> Transcript => Copy(_transcript);

    public IReadOnlyList<ReceivedMessage> Messages => Copy(_messages);

    public IReadOnlyList<string> Violations => Copy(_violations);

    /// <summary>How often octets came, of which each batch of a client takes one.</summary>
    public int Reads { get; private set; }

    /// <summary>Whether the connection has ended.</summary>
    public bool IsOver { get; private set; }

    /// <summary>The name that the client asked for in TLS.</summary>
    public string? ServerName { get; private set; }

    /// <summary>Whether the client's commands come through TLS.</summary>
    public bool IsTls => _stream is SslStream;

    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            if (!await ActAsync(server.Choose("connect", "") ?? server.Greeting, stop)) return;
            while (await ReadLineAsync(stop) is { } line)
            {
                Note(_transcript, $"C: {line}");
                if (_end > _start && !server.Extensions.Contains("PIPELINING")) Note(_violations, $"more than one command at once: {line}");
                if (!await ExecuteAsync(line, stop)) return;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or AuthenticationException or ObjectDisposedException)
        {
            // The client went away, or the test is over.
        }
        finally
        {
            await DisposeAsync();
        }
    }

    public ValueTask DisposeAsync()
    {
        IsOver = true;
        return _stream.DisposeAsync();
    }

    private async Task<bool> ExecuteAsync(string line, CancellationToken stop)
    {
        var step = line.Split(' ')[0].ToLowerInvariant();
        var act = server.Choose(step, line) ?? Politely(step);
        var goesOn = await ActAsync(act, stop);
        if (!goesOn) return false;
        if (step == "mail" && act.Class == '2') _mail = line;
        if (step == "rcpt" && act.Class == '2') _rcpts.Add(line);
        if (step == "rset" && act.Class == '2') Forget();
        if (step == "starttls" && act.Class == '2') return await UpgradeAsync(stop);
        if (step == "data" && act.Class == '3') return await ReceiveAsync(stop);
        return step != "quit";
    }

    private Act Politely(string step) => step switch
    {
        "ehlo" => Ehlo(),
        "helo" => "250 mx.test",
        "starttls" when server.Certificate is not null && !IsTls => "220 2.0.0 Go ahead",
        "mail" when _mail is null => "250 2.1.0 Sender ok",
        "rcpt" when _mail is not null => "250 2.1.5 Recipient ok",
        "data" when _rcpts.Count > 0 => "354 End with a lone dot",
        "data" when _mail is not null => "554 5.5.1 No valid recipients",
        "mail" or "rcpt" or "data" => "503 5.5.1 Bad sequence of commands",
        "rset" or "noop" => "250 2.0.0 Ok",
        "quit" => "221 2.0.0 Bye",
        _ => "500 5.5.1 Unknown command",
    };

    private Act Ehlo()
    {
        string[] lines = ["mx.test", .. server.Extensions, .. server.Certificate is not null && !IsTls ? ["STARTTLS"] : Array.Empty<string>()];
        return string.Join('\n', lines.Select((line, i) => $"250{(i == lines.Length - 1 ? ' ' : '-')}{line}"));
    }

    private async Task<bool> ReceiveAsync(CancellationToken stop)
    {
        var content = await ReadContentAsync(stop);
        if (content is null) return false;
        Note(_transcript, "C: .");
        var act = server.Choose("body", _mail ?? "") ?? $"250 2.0.0 Ok: queued as {_messages.Count + 1}";
        Note(_messages, new ReceivedMessage(_mail ?? "", [.. _rcpts], content, act.Text));
        Forget();
        return await ActAsync(act, stop);
    }

    private void Forget()
    {
        _mail = null;
        _rcpts.Clear();
    }

    private async Task<bool> UpgradeAsync(CancellationToken stop)
    {
        if (_end > _start) Note(_violations, "octets between STARTTLS and TLS");
        _start = _end = 0;
        if (server.Choose("tls", "") is { } rude)
        {
            await ActAsync(rude, stop);
            return false;
        }
        var tls = new SslStream(_stream);
        _stream = tls;
        await tls.AuthenticateAsServerAsync(
            (_, hello, _, _) =>
            {
                ServerName = hello.ServerName;
                return ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificate = server.Certificate });
            },
            null,
            stop);
        Forget();
        return true;
    }

    private async Task<bool> ActAsync(Act act, CancellationToken stop)
    {
        await act.Gate.WaitAsync(stop);
        if (act.IsSilent)
        {
            server.FellSilent();
            while (await FillAsync(stop))
            {
                _start = _end = 0;
            }
            return false;
        }
        if (act.Octets is { } octets)
        {
            Note(_transcript, $"S: {act.Text}");
            do await SendAsync(octets, stop);
            while (act.Repeats);
        }
        if (act.Interruption is { } interruption)
        {
            await FillAsync(stop);
            return await ActAsync(interruption.ThenDisconnect(), stop);
        }
        if (act.StopsReading) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        return !act.Closes;
    }

    private async Task SendAsync(byte[] octets, CancellationToken stop)
    {
        for (var at = 0; at < octets.Length;)
        {
            var lineEnd = Array.IndexOf(octets, (byte)'\n', at);
            var end = server.Pace switch
            {
                Pace.Octet => at + 1,
                Pace.Line when lineEnd >= 0 => lineEnd + 1,
                _ => octets.Length,
            };
            await _stream.WriteAsync(octets.AsMemory(at, end - at), stop);
            await _stream.FlushAsync(stop);
            at = end;
            if (at < octets.Length) await Task.Yield();
        }
    }

    private async Task<string?> ReadLineAsync(CancellationToken stop)
    {
        while (true)
        {
            var length = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8);
            if (length >= 0)
            {
                var line = Encoding.UTF8.GetString(_buffer, _start, length);
                _start += length + 2;
                return line;
            }
            if (!await FillAsync(stop)) return null;
        }
    }

    /// <summary>Reads up to the lone dot, octet by octet: an independent reading of RFC 5321 §4.5.2.</summary>
    private async Task<byte[]?> ReadContentAsync(CancellationToken stop)
    {
        var content = new MemoryStream();
        var line = new MemoryStream();
        while (true)
        {
            if (_start == _end && !await FillAsync(stop)) return null;
            var octet = _buffer[_start++];
            line.WriteByte(octet);
            if (octet != '\n') continue;
            var text = line.ToArray();
            line.SetLength(0);
            if (text.AsSpan().SequenceEqual(".\r\n"u8)) return content.ToArray();
            if (!text.AsSpan().EndsWith("\r\n"u8) || text.AsSpan(..^2).Contains((byte)'\r')) Note(_violations, "a lone CR or LF in the content");
            content.Write(text[0] == '.' ? text.AsSpan(1) : text);
        }
    }

    private async Task<bool> FillAsync(CancellationToken stop)
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        var count = await _stream.ReadAsync(_buffer.AsMemory(_end), stop);
        _end += count;
        Reads++;
        return count > 0;
    }

    private static void Note<T>(List<T> list, T item)
    {
        lock (list) list.Add(item);
    }

    private static IReadOnlyList<T> Copy<T>(List<T> list)
    {
        lock (list) return [.. list];
    }
}
