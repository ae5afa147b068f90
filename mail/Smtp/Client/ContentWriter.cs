using System.Buffers;

namespace MoxApi.Mail.Smtp.Client;

/// <summary>Sends the content after DATA, up to the final dot, and reads the answer.</summary>
internal sealed class ContentWriter(SmtpExchange exchange, SmtpContent content, Func<bool>? mayFinish)
{
    private const int BlockSize = 16 * 1024;

    // How long to look for a reply that may explain why the server stopped reading.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);

    private readonly DotStuffer _stuffer = new();

    /// <summary>Whether the final dot was, or may have been, sent.</summary>
    public bool FinalDotSent { get; private set; }

    /// <summary>Sends it.</summary>
    /// <returns>The answer to the final dot.</returns>
    /// <exception cref="SmtpBreakException">There is none, it is 421, or the final dot was withheld.</exception>
    public async Task<SmtpReply> SendAsync(CancellationToken stop)
    {
        var since = exchange.Conversation.Now;
        exchange.Step = SmtpSteps.Body;
        RefuseEarlyAnswer(since);
        await WriteAsync(since, stop);
        stop.ThrowIfCancellationRequested();
        if (mayFinish?.Invoke() is false)
        {
            const string text = "The final dot was withheld: another worker may have taken over.";
            exchange.Conversation.Add(SmtpSteps.Body, since, 0, text);
            throw new SmtpBreakException(SmtpFault.LeaseLost, text);
        }
        exchange.Wire.Output.Write(".\r\n"u8);
        FinalDotSent = true;
        // RFC 5321 §4.5.3.2.6: the server may have the message from here on, and 10 minutes to say so. A caller that stopped waiting would send it
        // a second time.
        await FlushAsync(since, CancellationToken.None);
        return await exchange.ReadAsync(SmtpSteps.Body, since, exchange.Timeouts.FinalDot, CancellationToken.None);
    }

    /// <summary>What stands behind the reply to DATA already would pass for the answer to the final dot.</summary>
    private void RefuseEarlyAnswer(long since)
    {
        try
        {
            exchange.Wire.ThrowIfUnsolicited();
        }
        catch (SmtpBreakException broken)
        {
            exchange.Note(broken, SmtpSteps.Body, since);
            throw;
        }
    }

    private async Task WriteAsync(long since, CancellationToken stop)
    {
        var total = 0L;
        await foreach (var chunk in content.ReadAsync(stop))
        {
            total += chunk.Length;
            for (var at = 0; at < chunk.Length; at += BlockSize)
            {
                _stuffer.Write(chunk.Span[at..Math.Min(at + BlockSize, chunk.Length)], exchange.Wire.Output);
                if (exchange.Wire.Output.WrittenCount >= BlockSize) await FlushAsync(since, stop);
            }
        }
        // A body cut short by its storage must not pass for the whole.
        if (total != content.Size) throw new InvalidDataException($"The content has {total} octets, and {content.Size} were declared.");
        _stuffer.Finish(exchange.Wire.Output);
    }

    private async ValueTask FlushAsync(long since, CancellationToken stop)
    {
        try
        {
            await exchange.Wire.FlushAsync(exchange.Timeouts.Write, stop);
        }
        catch (SmtpBreakException broken)
        {
            throw await ExplainAsync(broken, since, stop);
        }
    }

    /// <summary>A server that has had enough may say why before it closes, such as 552: its reply is worth more than "connection reset".</summary>
    private async Task<SmtpBreakException> ExplainAsync(SmtpBreakException broken, long since, CancellationToken stop)
    {
        if (broken.Fault is SmtpFault.Disconnected or SmtpFault.TimedOut)
        {
            try
            {
                var reply = await exchange.Wire.ReadReplyAsync(LastWords, stop);
                if (reply.IsTransient || reply.IsPermanent) broken = new SmtpBreakException(reply);
            }
            catch (SmtpBreakException)
            {
                // It said nothing.
            }
        }
        exchange.Note(broken, SmtpSteps.Body, since);
        return broken;
    }
}
