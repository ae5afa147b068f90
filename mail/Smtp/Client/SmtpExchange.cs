namespace MoxApi.Mail.Smtp.Client;

/// <summary>Commands and their replies, written down as they come.</summary>
internal sealed class SmtpExchange(SmtpWire wire, SmtpTimeouts timeouts, Conversation conversation)
{
    public SmtpWire Wire => wire;

    public SmtpTimeouts Timeouts => timeouts;

    public Conversation Conversation => conversation;

    /// <summary>The step that is being done, for which a fault counts.</summary>
    public string Step { get; set; } = SmtpSteps.Connect;

    /// <summary>Sends one command and reads its reply.</summary>
    /// <exception cref="SmtpBreakException">There is no reply, or it is 421; the step is written down.</exception>
    public async ValueTask<SmtpReply> CommandAsync(string step, string line, TimeSpan timeout, CancellationToken stop, string? address = null)
    {
        var since = conversation.Now;
        wire.Write(line);
        await FlushAsync(step, since, stop, address);
        return await ReadAsync(step, since, timeout, stop, address);
    }

    /// <summary>Takes leave. Whatever comes of it changes nothing any more, and is only written down.</summary>
    public async ValueTask QuitAsync(CancellationToken stop)
    {
        try
        {
            await CommandAsync(SmtpSteps.Quit, "QUIT", timeouts.Quit, stop);
        }
        catch (SmtpBreakException)
        {
        }
    }

    /// <summary>Sends what was written.</summary>
    /// <exception cref="SmtpBreakException">It cannot be sent; <paramref name="step"/> is written down with the fault.</exception>
    public async ValueTask FlushAsync(string step, long since, CancellationToken stop, string? address = null)
    {
        Step = step;
        try
        {
            wire.ThrowIfUnsolicited();
            await wire.FlushAsync(timeouts.Write, stop);
        }
        catch (SmtpBreakException broken)
        {
            Note(broken, step, since, address);
            throw;
        }
    }

    /// <summary>Reads the next reply.</summary>
    /// <exception cref="SmtpBreakException">There is none, or it is 421; the step is written down.</exception>
    public async ValueTask<SmtpReply> ReadAsync(string step, long since, TimeSpan timeout, CancellationToken stop, string? address = null)
    {
        Step = step;
        try
        {
            var reply = await wire.ReadReplyAsync(timeout, stop);
            if (reply.Code == 421) throw new SmtpBreakException(reply); // RFC 5321 §3.8: the server closes after it, whatever the command.
            conversation.Add(step, since, reply, address);
            return reply;
        }
        catch (SmtpBreakException broken)
        {
            Note(broken, step, since, address);
            throw;
        }
    }

    /// <summary>Writes down how the conversation ended.</summary>
    public void Note(SmtpBreakException broken, string step, long since, string? address = null)
    {
        if (broken.Reply is { } closing) conversation.Add(step, since, closing, address);
        else conversation.Add(step, since, 0, broken.Message, address);
    }
}
