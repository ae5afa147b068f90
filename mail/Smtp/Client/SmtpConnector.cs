using MoxApi.Mail.Connections;

namespace MoxApi.Mail.Smtp.Client;

/// <summary>Opens connections to SMTP servers: TCP, greeting, EHLO or HELO, STARTTLS.</summary>
public sealed class SmtpConnector(Dialer dialer, SmtpClientOptions options, TimeProvider time)
{
    /// <summary>
    /// Opens a connection. Where <see cref="SmtpTlsMode.Opportunistic"/> TLS fails, for whatever reason, a second connection goes on in clear.
    /// </summary>
    /// <param name="target">The server.</param>
    /// <param name="stop">Ends it without a result.</param>
    /// <param name="giveUp">Ends the wait for the server as if its time were over: a verdict like others, with the conversation so far.</param>
    /// <returns>The connection, or the verdict why there is none; and the conversation.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was canceled.</exception>
    public async Task<SmtpOpening> OpenAsync(SmtpTarget target, CancellationToken stop = default, CancellationToken giveUp = default)
    {
        var conversation = new Conversation(time);
        var (connection, failure) = await TryOpenAsync(target, target.Tls, conversation, stop, giveUp);
        if (target.Tls == SmtpTlsMode.Opportunistic && failure is { Fault: SmtpFault.TlsFailed or SmtpFault.TlsUnavailable })
            (connection, failure) = await TryOpenAsync(target, SmtpTlsMode.None, conversation, stop, giveUp);
        return new SmtpOpening(connection, failure, conversation.Steps);
    }

    private async Task<(SmtpConnection? Connection, SmtpVerdict? Failure)> TryOpenAsync(
        SmtpTarget target, SmtpTlsMode mode, Conversation conversation, CancellationToken stop, CancellationToken giveUp)
    {
        var since = conversation.Now;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, giveUp);
        Stream stream;
        try
        {
            stream = await dialer.ConnectAsync(target.EndPoint, target.AllowPrivate, either.Token);
        }
        catch (DialException e)
        {
            conversation.Add(SmtpSteps.Connect, since, 0, e.Message);
            return (null, SmtpVerdict.Of(SmtpSteps.Connect, Translate(e.Fault), e.Message));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return (null, GivenUp(SmtpSteps.Connect, since, conversation));
        }
        var wire = new SmtpWire(stream, time);
        var exchange = new SmtpExchange(wire, options.Timeouts, conversation);
        var greeting = new Opening(exchange, options, target.HostName, mode);
        try
        {
            if (await greeting.RunAsync(since, either.Token) is { } failure)
            {
                await wire.DisposeAsync();
                return (null, failure);
            }
            return (new SmtpConnection(wire, target, greeting.Capabilities, greeting.Tls, options.Timeouts, time), null);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            await wire.DisposeAsync();
            return (null, GivenUp(exchange.Step, since, conversation));
        }
        catch
        {
            await wire.DisposeAsync();
            throw;
        }
    }

    private static SmtpVerdict GivenUp(string step, long since, Conversation conversation)
    {
        conversation.Add(step, since, 0, SmtpBreakException.GivenUp);
        return SmtpVerdict.Of(step, SmtpFault.TimedOut, SmtpBreakException.GivenUp);
    }

    private static SmtpFault Translate(DialFault fault) => fault switch
    {
        DialFault.AddressRefused => SmtpFault.AddressRefused,
        DialFault.TimedOut => SmtpFault.TimedOut,
        _ => SmtpFault.ConnectFailed,
    };
}
