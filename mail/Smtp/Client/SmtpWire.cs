using System.Buffers;
using System.Text;

namespace MoxApi.Mail.Smtp.Client;

/// <summary>The octets of a connection: commands and content out, replies in, each wait with its deadline.</summary>
internal sealed class SmtpWire(Stream stream, TimeProvider time) : IAsyncDisposable
{
    private const int KeptOutput = 64 * 1024;

    private readonly SmtpReplyParser _parser = new();
    private readonly Deadline _deadline = new(time);
    private readonly byte[] _input = new byte[2 * SmtpReplyParser.MaxLine];
    private ArrayBufferWriter<byte> _output = new(1024);
    private Stream _stream = stream;
    private int _start;
    private int _end;

    /// <summary>What leaves with the next flush.</summary>
    public ArrayBufferWriter<byte> Output => _output;

    /// <summary>Whether the server has sent more than was read.</summary>
    public bool HasInput => _start < _end;

    /// <summary>Adds a command line, without its end, to the output.</summary>
    public void Write(string line)
    {
        Encoding.UTF8.GetBytes(line, _output);
        _output.Write("\r\n"u8);
    }

    /// <summary>Sends the output.</summary>
    /// <exception cref="SmtpBreakException">The connection broke, or did not take the octets in time.</exception>
    public async ValueTask FlushAsync(TimeSpan timeout, CancellationToken stop)
    {
        using var running = _deadline.Start(timeout, stop);
        try
        {
            await _stream.WriteAsync(_output.WrittenMemory, running.Token);
            await _stream.FlushAsync(running.Token);
        }
        catch (Exception e) when (Explain(e, timeout, "The server took no more octets", stop) is { } broken)
        {
            throw broken;
        }
        if (_output.Capacity > KeptOutput) _output = new ArrayBufferWriter<byte>(1024);
        else _output.ResetWrittenCount();
    }

    /// <summary>Reads a reply; the deadline is for the whole of it, so that a server that sends an octet a minute gains nothing.</summary>
    /// <exception cref="SmtpBreakException">No reply came, or what came is none.</exception>
    public async ValueTask<SmtpReply> ReadReplyAsync(TimeSpan timeout, CancellationToken stop)
    {
        if (TryParse() is { } early) return early;
        using var running = _deadline.Start(timeout, stop);
        while (true)
        {
            try
            {
                await FillAsync(running.Token);
            }
            catch (Exception e) when (Explain(e, timeout, "The server did not answer", stop) is { } broken)
            {
                throw broken;
            }
            if (TryParse() is { } reply) return reply;
        }
    }

    /// <summary>
    /// Refuses what the server said without being asked: the replies would be taken for those to the commands that follow.
    /// </summary>
    /// <exception cref="SmtpBreakException">There is input: a 421, which may come at any time (RFC 5321 §3.8), or a fault.</exception>
    public void ThrowIfUnsolicited()
    {
        if (!HasInput) return;
        if (TryParse() is { Code: 421 } closing) throw new SmtpBreakException(closing);
        throw new SmtpBreakException(SmtpFault.ProtocolViolation, "The server sent a reply that nothing asked for.");
    }

    /// <summary>Goes on over TLS. There must be no input left.</summary>
    /// <exception cref="SmtpBreakException">The handshake failed.</exception>
    public async Task<SmtpTlsSession> StartTlsAsync(SmtpTlsHandshake handshake, TimeSpan timeout, CancellationToken stop)
    {
        using var running = _deadline.Start(timeout, stop);
        try
        {
            _stream = await handshake.RunAsync(_stream, running.Token);
            return handshake.Session;
        }
        catch (Exception e)
        {
            stop.ThrowIfCancellationRequested();
            throw new SmtpBreakException(SmtpFault.TlsFailed, handshake.Explain(e, timeout), e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _deadline.Dispose();
        try
        {
            await _stream.DisposeAsync();
        }
        catch (Exception)
        {
            // What broke before may not close in good order either; what became of the message is known by now.
        }
    }

    private async ValueTask FillAsync(CancellationToken stop)
    {
        if (_start > 0)
        {
            _input.AsSpan(_start, _end - _start).CopyTo(_input);
            _end -= _start;
            _start = 0;
        }
        // There is room: the parser takes whole lines, and refuses one that fills half of the buffer.
        var count = await _stream.ReadAsync(_input.AsMemory(_end), stop);
        if (count == 0) throw new SmtpBreakException(SmtpFault.Disconnected, "The server closed the connection.");
        _end += count;
    }

    private SmtpReply? TryParse()
    {
        if (!HasInput) return null;
        var parse = _parser.Read(_input.AsSpan(_start, _end - _start), out var consumed, out var reply, out var fault);
        _start += consumed;
        return parse == SmtpReplyParse.Fault ? throw new SmtpBreakException(SmtpFault.ProtocolViolation, fault!) : reply;
    }

    private static Exception? Explain(Exception e, TimeSpan timeout, string what, CancellationToken stop) => e switch
    {
        SmtpBreakException => null,
        _ when stop.IsCancellationRequested => new OperationCanceledException(e.Message, e, stop),
        OperationCanceledException => new SmtpBreakException(SmtpFault.TimedOut, $"{what} within {timeout.TotalSeconds:0.###} s.", e),
        // A stream that is of no more use says so in many ways, TLS above all. Each is an end of the connection, and must not take the conversation along.
        _ => new SmtpBreakException(SmtpFault.Disconnected, $"The connection broke: {e.GetBaseException().Message}", e),
    };
}
