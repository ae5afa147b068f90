namespace MoxApi.Mail.Smtp.Client;

/// <summary>One transaction: MAIL, RCPT for each recipient, DATA, the content, the answer.</summary>
internal sealed class TransactionRun(
    SmtpExchange exchange, SmtpCapabilities capabilities, Preflight preflight, SmtpEnvelope envelope, SmtpContent content, Func<bool>? mayFinish)
{
    // RFC 2920 §3.1: a batch must not fill the windows of TCP in both directions while nobody reads.
    private const int BatchSize = 100;

    private readonly RecipientBook _book = new(envelope.ForwardPaths);
    private readonly ContentWriter _content = new(exchange, content, mayFinish);
    private bool _mailAnswered;
    private bool _mailAccepted;

    /// <summary>Whether the connection has carried a transaction before this one.</summary>
    public bool IsReused { get; init; }

    /// <summary>Whether the server is still in the transaction before, so that RSET must come first.</summary>
    public bool ResetFirst { get; init; }

    /// <summary>Whether MAIL was sent.</summary>
    public bool Started { get; private set; }

    /// <summary>Whether the server is still in this transaction, or in the one before where that was to be reset.</summary>
    public bool NeedsReset { get; private set; }

    /// <summary>Whether the connection is of no further use.</summary>
    public bool Broke { get; private set; }

    /// <summary>Runs it.</summary>
    /// <param name="timeIsUp">Canceled when the whole has taken too long.</param>
    /// <param name="giveUp">Canceled when the caller has had enough of the server.</param>
    /// <param name="stop">Ends it without a result.</param>
    public async Task<SmtpTransaction> RunAsync(CancellationToken timeIsUp, CancellationToken giveUp, CancellationToken stop)
    {
        NeedsReset = ResetFirst;
        preflight.Judge(_book);
        var pending = _book.Undecided.ToArray();
        if (pending.Length > 0) await RunInTimeAsync(pending, timeIsUp, giveUp, stop);
        return new SmtpTransaction(_book.Results(), exchange.Conversation.Steps, _content.FinalDotSent);
    }

    private async Task RunInTimeAsync(int[] pending, CancellationToken timeIsUp, CancellationToken giveUp, CancellationToken stop)
    {
        using var any = CancellationTokenSource.CreateLinkedTokenSource(timeIsUp, giveUp, stop);
        var since = exchange.Conversation.Now;
        try
        {
            await RunAsync(pending, any.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            Broke = true;
            var slow = new SmtpBreakException(
                SmtpFault.TimedOut, timeIsUp.IsCancellationRequested ? $"The transaction took longer than {exchange.Timeouts.Transaction.TotalMinutes:0.##} minutes." : SmtpBreakException.GivenUp);
            exchange.Note(slow, exchange.Step, since);
            _book.DecideRest(slow.At(exchange.Step));
        }
    }

    private async Task RunAsync(int[] pending, CancellationToken stop)
    {
        try
        {
            Started = true;
            var goAhead = capabilities.Pipelining ? await AskInBatchesAsync(pending, stop) : await AskStepByStepAsync(pending, stop);
            if (!goAhead) return;
            var answer = await _content.SendAsync(stop);
            NeedsReset = false; // RFC 5321 §4.1.1.4: after the final dot the buffers are cleared, whatever the answer.
            _book.DecideRest(Judge(SmtpSteps.Body, answer));
        }
        catch (SmtpBreakException broken)
        {
            Broke = true;
            var verdict = broken.At(exchange.Step);
            // The server closed an idle connection, or it was out of step before: that says nothing about this message.
            var wasIdle = IsReused && !_mailAnswered && broken.Fault != SmtpFault.TimedOut;
            if (wasIdle) _book.DecideRest(SmtpRecipientOutcome.NotTried, verdict);
            else _book.DecideRest(verdict);
        }
    }

    private async Task<bool> AskStepByStepAsync(int[] pending, CancellationToken stop)
    {
        if (ResetFirst) CheckReset(await exchange.CommandAsync(SmtpSteps.Rset, "RSET", exchange.Timeouts.Command, stop));
        TakeMail(await exchange.CommandAsync(SmtpSteps.Mail, preflight.MailCommand(), exchange.Timeouts.Mail, stop));
        if (!_mailAccepted) return false;
        foreach (var i in pending)
        {
            var address = _book[i].ToString();
            TakeRcpt(i, await exchange.CommandAsync(SmtpSteps.Rcpt, preflight.RcptCommand(i), exchange.Timeouts.Rcpt, stop, address));
        }
        return _book.AnyAccepted && TakeData(await exchange.CommandAsync(SmtpSteps.Data, "DATA", exchange.Timeouts.DataInitiation, stop));
    }

    // RFC 2920 §3.1: RSET, MAIL and RCPT may stand anywhere in a batch, DATA at its end.
    private async Task<bool> AskInBatchesAsync(int[] pending, CancellationToken stop)
    {
        for (var from = 0; from < pending.Length; from += BatchSize)
        {
            var batch = pending.AsMemory(from, Math.Min(BatchSize, pending.Length - from));
            var isFirst = from == 0;
            var isLast = from + BatchSize >= pending.Length;
            var since = exchange.Conversation.Now;
            WriteBatch(batch.Span, isFirst, isLast);
            await exchange.FlushAsync(isFirst ? SmtpSteps.Mail : SmtpSteps.Rcpt, since, stop);
            await ReadBatchAsync(batch, isFirst, since, stop);
            if (isLast) return await ReadDataAsync(since, stop);
            if (!_mailAccepted) return false;
        }
        return false;
    }

    private void WriteBatch(ReadOnlySpan<int> batch, bool isFirst, bool isLast)
    {
        if (isFirst && ResetFirst) exchange.Wire.Write("RSET");
        if (isFirst) exchange.Wire.Write(preflight.MailCommand());
        foreach (var i in batch) exchange.Wire.Write(preflight.RcptCommand(i));
        if (isLast) exchange.Wire.Write("DATA");
    }

    private async Task ReadBatchAsync(ReadOnlyMemory<int> batch, bool isFirst, long since, CancellationToken stop)
    {
        if (isFirst && ResetFirst) CheckReset(await exchange.ReadAsync(SmtpSteps.Rset, since, exchange.Timeouts.Command, stop));
        if (isFirst) TakeMail(await exchange.ReadAsync(SmtpSteps.Mail, since, exchange.Timeouts.Mail, stop));
        for (var i = 0; i < batch.Length; i++)
        {
            var recipient = batch.Span[i];
            TakeRcpt(recipient, await exchange.ReadAsync(SmtpSteps.Rcpt, since, exchange.Timeouts.Rcpt, stop, _book[recipient].ToString()));
        }
    }

    private async Task<bool> ReadDataAsync(long since, CancellationToken stop)
    {
        var reply = await exchange.ReadAsync(SmtpSteps.Data, since, exchange.Timeouts.DataInitiation, stop);
        if (_mailAccepted && _book.AnyAccepted) return TakeData(reply);
        if (!reply.IsIntermediate) return false;
        // RFC 2920 §3.1: the server waits for content although nobody is there to get it. A lone dot ends that; but where it took a recipient and
        // refused the sender, who knows what it would do with an empty message.
        if (_book.AnyAccepted) throw new SmtpBreakException(SmtpFault.ProtocolViolation, "The server refused MAIL, and yet asks for the content.");
        await exchange.CommandAsync(SmtpSteps.Body, ".", exchange.Timeouts.FinalDot, stop);
        NeedsReset = false;
        return false;
    }

    private static void CheckReset(SmtpReply reply)
    {
        if (!reply.IsSuccess) throw new SmtpBreakException(SmtpFault.Disconnected, $"The server refused RSET: {reply}");
    }

    private void TakeMail(SmtpReply reply)
    {
        _mailAnswered = true;
        _mailAccepted = reply.IsSuccess;
        NeedsReset = _mailAccepted;
        if (!_mailAccepted) _book.DecideRest(Judge(SmtpSteps.Mail, reply));
    }

    private void TakeRcpt(int index, SmtpReply reply)
    {
        if (reply.IsSuccess)
        {
            _book.Accept(index);
            return;
        }
        var verdict = Judge(SmtpSteps.Rcpt, reply);
        // RFC 5321 §4.5.3.1.10: too many recipients is 452, of old 552. A reply that means something else by it comes again in the further
        // transaction, where this recipient is the first, and then counts.
        if (reply.Code is 452 or 552 && _book.AnyAccepted) _book.Decide(index, SmtpRecipientOutcome.NotTried, verdict);
        else _book.Decide(index, verdict);
    }

    private bool TakeData(SmtpReply reply)
    {
        if (reply.IsIntermediate) return true;
        _book.DecideRest(Judge(SmtpSteps.Data, reply, mayBeSuccess: false));
        return false;
    }

    /// <summary>The verdict of a reply; one that makes no sense at its place ends the conversation, for who knows where the server thinks we are.</summary>
    private static SmtpVerdict Judge(string step, SmtpReply reply, bool mayBeSuccess = true)
    {
        if (reply.IsIntermediate || (reply.IsSuccess && !mayBeSuccess))
            throw new SmtpBreakException(SmtpFault.ProtocolViolation, $"The server answered {reply.Code}, which has no meaning here.");
        return SmtpVerdict.Of(step, reply);
    }
}
