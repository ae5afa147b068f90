using System.Net;

namespace MoxApi.Mail.Smtp.Client;

/// <summary>
/// A connection to a server that has answered EHLO or HELO, for one transaction after the other. Not for use by two callers at once. Faults of
/// the network and of the server are returned, not thrown; disposing closes the connection without a word.
/// </summary>
public sealed class SmtpConnection : IAsyncDisposable
{
    private readonly SmtpWire _wire;
    private readonly SmtpTimeouts _timeouts;
    private readonly TimeProvider _time;
    private int _transactions;
    private bool _needsReset;
    private bool _closed;

    internal SmtpConnection(SmtpWire wire, SmtpTarget target, SmtpCapabilities capabilities, SmtpTlsSession? tls, SmtpTimeouts timeouts, TimeProvider time)
    {
        _wire = wire;
        _timeouts = timeouts;
        _time = time;
        Target = target;
        Capabilities = capabilities;
        Tls = tls;
    }

    /// <summary>The server that was asked for.</summary>
    public SmtpTarget Target { get; }

    /// <summary>Its address and port.</summary>
    public IPEndPoint RemoteEndPoint => Target.EndPoint;

    /// <summary>What it offers, of its last answer to EHLO.</summary>
    public SmtpCapabilities Capabilities { get; }

    /// <summary>What was negotiated, or null in clear.</summary>
    public SmtpTlsSession? Tls { get; }

    /// <summary>Whether another transaction may be sent: not after a 421, a fault or a cancellation, and no more than MAILMAX (RFC 9422 §4.1).</summary>
    public bool CanSend => !_closed && (Capabilities.MaxTransactions is not { } max || _transactions < max);

    /// <summary>Sends a message in one transaction.</summary>
    /// <param name="envelope">Whom it is from and for.</param>
    /// <param name="content">The message.</param>
    /// <param name="mayFinish">
    /// Asked just before the final dot; a no closes the connection without it, so that the server drops the message. Null for always.
    /// </param>
    /// <param name="stop">Gives up; no longer heard from the final dot on, so that a message that may be delivered gets its answer.</param>
    /// <param name="giveUp">Ends the wait for the server as if its time were over, with a verdict like others; not heard from the final dot on either.</param>
    /// <returns>What became of each recipient.</returns>
    /// <exception cref="InvalidOperationException"><see cref="CanSend"/> is false, or there is no recipient.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was canceled before the final dot; the connection is closed.</exception>
    /// <exception cref="InvalidDataException">The body's stream yielded another number of octets than was declared; the connection is closed.</exception>
    /// <remarks>What the content's stream or <paramref name="mayFinish"/> throw is passed on, after the connection was closed without the final dot.</remarks>
    public async Task<SmtpTransaction> SendAsync(
        SmtpEnvelope envelope, SmtpContent content, Func<bool>? mayFinish = null, CancellationToken stop = default, CancellationToken giveUp = default)
    {
        if (!CanSend) throw new InvalidOperationException("The connection takes no further transaction.");
        if (envelope.ForwardPaths.Count == 0) throw new InvalidOperationException("The envelope has no recipient.");
        var exchange = new SmtpExchange(_wire, _timeouts, new Conversation(_time));
        var run = new TransactionRun(exchange, Capabilities, new Preflight(Capabilities, Tls, envelope, content), envelope, content, mayFinish)
        {
            IsReused = _transactions > 0,
            ResetFirst = _needsReset,
        };
        try
        {
            using var whole = new CancellationTokenSource(_timeouts.Transaction, _time);
            var result = await run.RunAsync(whole.Token, giveUp, stop);
            _needsReset = run.NeedsReset;
            if (run.Broke) await CloseAsync();
            return result;
        }
        catch
        {
            await CloseAsync();
            throw;
        }
        finally
        {
            if (run.Started) _transactions++;
        }
    }

    /// <summary>Says QUIT, waits a little for the answer (RFC 5321 §4.1.1.10), and closes.</summary>
    /// <returns>The step, or null where the connection was closed already.</returns>
    public async Task<SmtpStep?> QuitAsync(CancellationToken stop = default)
    {
        if (_closed) return null;
        var step = await CommandAsync(SmtpSteps.Quit, "QUIT", _timeouts.Quit, stop);
        await CloseAsync();
        return step;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => CloseAsync();

    private async Task<SmtpStep> CommandAsync(string step, string line, TimeSpan timeout, CancellationToken stop)
    {
        var conversation = new Conversation(_time);
        try
        {
            await new SmtpExchange(_wire, _timeouts, conversation).CommandAsync(step, line, timeout, stop);
        }
        catch (SmtpBreakException)
        {
            await CloseAsync();
        }
        catch
        {
            await CloseAsync();
            throw;
        }
        return conversation.Steps[^1];
    }

    private async ValueTask CloseAsync()
    {
        if (_closed) return;
        _closed = true;
        await _wire.DisposeAsync();
    }
}
