using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using MoxApi.Inbound.Connections;
using MoxApi.Mail.Smtp;
using MoxApi.Mail.Smtp.Grammar;

namespace MoxApi.Inbound.Smtp;

/// <summary>
/// Reads a message after DATA into its spool, always to its real end: what is refused is read and thrown away, so that the next octet is
/// a command for client and server alike.
/// </summary>
internal sealed class MessageReader(PipeReader input, ConnectionLifetime lifetime, SmtpOptions options, TimeProvider time)
{
    // A block of any size ends a silence (RFC 5321 §4.5.3.2.5), so an octet every few minutes would hold a connection and a message for weeks. So slow are no
    // mail servers.
    private static readonly TimeSpan AnyPace = TimeSpan.FromMinutes(10);
    private const int LeastOctetsPerSecond = 1000;

    private readonly long since = time.GetTimestamp();
    private readonly DataDecoder decoder = new(options.Pedantic);
    private SmtpReply? refusal;
    private long read;

    /// <summary>Reads to the end of the message.</summary>
    /// <returns>Null when the whole message is in the spool, else the reply that refuses it.</returns>
    public async ValueTask<SmtpReply?> ReadAsync(MessageSpool spool)
    {
        var limit = spool.Length + options.MaxMessageOctets;
        while (!decoder.IsComplete)
        {
            lifetime.Expect(options.DataTimeout);
            var result = await input.ReadAsync(lifetime.Silence);
            lifetime.Relax();
            var consumed = await TakeAsync(result.Buffer, spool, limit);
            input.AdvanceTo(result.Buffer.GetPosition(consumed));
            // RFC 5321 §4.1.1.4: a message without its end is no message.
            if (result.IsCompleted && !decoder.IsComplete) throw new ConnectionAbortedException("The client left in the middle of a message.");
            if (GoesOnForever) return new SmtpReply(421, new(5, 3, 4), "The message is far too long, closing.");
            if (IsTooSlow) return new SmtpReply(421, new(4, 4, 2), "The message comes too slowly, closing.");
        }
        return refusal;
    }

    // Throwing away has an end too.
    private bool GoesOnForever => read > (2 * options.MaxMessageOctets) + (1 << 20);

    private bool IsTooSlow => !decoder.IsComplete && time.GetElapsedTime(since) > AnyPace + TimeSpan.FromSeconds(read / LeastOctetsPerSecond);

    private async ValueTask<long> TakeAsync(ReadOnlySequence<byte> buffer, MessageSpool spool, long limit)
    {
        long consumed = 0;
        foreach (var segment in buffer)
        {
            consumed += decoder.Decode(segment.Span, spool.Writer);
            if (refusal is null) refusal = await SettleAsync(spool, limit);
            if (decoder.IsComplete) break;
        }
        read += consumed;
        return consumed;
    }

    private async ValueTask<SmtpReply?> SettleAsync(MessageSpool spool, long limit)
    {
        var verdict = Judge(spool.Length, limit);
        try
        {
            if (verdict is null) await spool.SettleAsync(lifetime.Silence);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            verdict = SmtpSession.NoRoom;
        }
        if (verdict is null) return null;
        decoder.Discard();
        spool.Discard();
        return verdict;
    }

    private SmtpReply? Judge(long length, long limit) => decoder.Fault switch
    {
        DataFault.BareCr => new SmtpReply(554, new(5, 6, 0), "The message has a CR without LF; lines end with CRLF (RFC 5321 section 2.3.8)."),
        DataFault.LfBesideLoneDot => new SmtpReply(554, new(5, 6, 0), "The message has an LF without CR beside a lone dot (RFC 5321 section 4.1.1.4)."),
        DataFault.BareLf => new SmtpReply(554, new(5, 6, 0), "The message has an LF without CR; lines end with CRLF (RFC 5321 section 2.3.8)."),
        // RFC 1870 §6.3.
        _ when length > limit => new SmtpReply(552, new(5, 3, 4), $"A message has at most {options.MaxMessageOctets} octets here."),
        _ => null,
    };
}
