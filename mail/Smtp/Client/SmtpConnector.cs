using MoxApi.Mail.Connections;

namespace MoxApi.Mail.Smtp.Client;

/// <summary>Opens connections to SMTP servers: TCP, greeting, EHLO or HELO, STARTTLS.</summary>
public sealed class SmtpConnector(Dialer dialer, SmtpClientOptions options, TimeProvider time)
{
    /// <summary>
    /// Opens a connection. Where <see cref="SmtpTlsMode.Opportunistic"/> TLS fails, for whatever reason, a second connection goes on in clear.
    /// </summary>
    /// <returns>The connection, or the verdict why there is none; and the conversation.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was canceled.</exception>
    public async Task<SmtpOpening> OpenAsync(SmtpTarget target, CancellationToken stop = default)
    {
        var conversation = new Conversation(time);
        var first = await TryOpenAsync(target, target.Tls, conversation, stop);
        var tlsFailure = first.Failure is { Fault: SmtpFault.TlsFailed or SmtpFault.TlsUnavailable } ? first.Failure : null;
        if (tlsFailure is null || target.Tls != SmtpTlsMode.Opportunistic)
            return new SmtpOpening(first.Connection, first.Failure, tlsFailure, conversation.Steps);
        var second = await TryOpenAsync(target, SmtpTlsMode.None, conversation, stop);
        return new SmtpOpening(second.Connection, second.Failure, tlsFailure, conversation.Steps);
    }

    private async Task<(SmtpConnection? Connection, SmtpVerdict? Failure)> TryOpenAsync(
        SmtpTarget target, SmtpTlsMode mode, Conversation conversation, CancellationToken stop)
    {
        var since = conversation.Now;
        Stream stream;
        try
        {
            stream = await dialer.ConnectAsync(target.EndPoint, target.AllowPrivate, stop);
        }
        catch (DialException e)
        {
            conversation.Add(SmtpSteps.Connect, since, 0, e.Message);
            return (null, SmtpVerdict.Of(SmtpSteps.Connect, Translate(e.Fault), e.Message));
        }
        var wire = new SmtpWire(stream, time);
        var greeting = new Opening(new SmtpExchange(wire, options.Timeouts, conversation), options, target.HostName, mode);
        try
        {
            if (await greeting.RunAsync(since, stop) is { } failure)
            {
                await wire.DisposeAsync();
                return (null, failure);
            }
            return (new SmtpConnection(wire, target, greeting.Capabilities, greeting.Tls, options.Timeouts, time), null);
        }
        catch
        {
            await wire.DisposeAsync();
            throw;
        }
    }

    private static SmtpFault Translate(DialFault fault) => fault switch
    {
        DialFault.AddressRefused => SmtpFault.AddressRefused,
        DialFault.TimedOut => SmtpFault.TimedOut,
        _ => SmtpFault.ConnectFailed,
    };
}
