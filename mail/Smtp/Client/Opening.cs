namespace MoxApi.Mail.Smtp.Client;

/// <summary>The conversation from the greeting to the last answer to EHLO, on one connection.</summary>
internal sealed class Opening(SmtpExchange exchange, SmtpClientOptions options, string hostName, SmtpTlsMode mode)
{
    private bool _inHandshake;

    public SmtpCapabilities Capabilities { get; private set; } = SmtpCapabilities.None;

    public SmtpTlsSession? Tls { get; private set; }

    /// <summary>Runs it.</summary>
    /// <param name="since">When dialing began.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>Why it failed, or null; after a failure the connection is of no further use.</returns>
    public async Task<SmtpVerdict?> RunAsync(long since, CancellationToken stop)
    {
        SmtpVerdict? failure;
        try
        {
            var greeting = await exchange.ReadAsync(SmtpSteps.Connect, since, options.Timeouts.Greeting, stop);
            failure = Judge(SmtpSteps.Connect, greeting) ?? await HelloAsync(stop) ?? await SecureAsync(stop);
        }
        catch (SmtpBreakException broken)
        {
            return Explain(broken);
        }
        // RFC 5321 §3.1: a server that opened with 554 still waits for QUIT.
        if (failure is not null) await exchange.QuitAsync(stop);
        return failure;
    }

    private SmtpVerdict Explain(SmtpBreakException broken)
    {
        var verdict = broken.At(exchange.Step);
        // A server of TLS 1.3 may refuse when the handshake has ended for us: then the connection breaks at the next step.
        var isTls = _inHandshake && (Tls is null || broken.Fault == SmtpFault.Disconnected);
        if (!isTls) return verdict;
        var mayPass = broken.Fault is SmtpFault.TimedOut or SmtpFault.Disconnected || broken.InnerException is OperationCanceledException or IOException;
        return SmtpVerdict.Of(exchange.Step, SmtpFault.TlsFailed, verdict.ToString()) with { MayPass = mayPass };
    }

    private async Task<SmtpVerdict?> HelloAsync(CancellationToken stop)
    {
        var ehlo = await exchange.CommandAsync(SmtpSteps.Ehlo, $"EHLO {options.HostName}", options.Timeouts.Command, stop);
        if (ehlo.IsSuccess) Capabilities = SmtpCapabilities.Parse(ehlo);
        if (!ehlo.IsPermanent) return Judge(SmtpSteps.Ehlo, ehlo);
        // RFC 5321 §3.2: a server that does not know EHLO answers 500 or 502; §4.1.4 has 504 and 550 for those that do not like it.
        Capabilities = SmtpCapabilities.None;
        return Judge(SmtpSteps.Helo, await exchange.CommandAsync(SmtpSteps.Helo, $"HELO {options.HostName}", options.Timeouts.Command, stop));
    }

    private async Task<SmtpVerdict?> SecureAsync(CancellationToken stop)
    {
        if (mode == SmtpTlsMode.None) return null;
        if (!Capabilities.StartTls)
        {
            return mode == SmtpTlsMode.Required
                ? SmtpVerdict.Of(SmtpSteps.StartTls, SmtpFault.TlsUnavailable, "The server does not offer STARTTLS, and TLS is required.")
                : null;
        }
        _inHandshake = true;
        var reply = await exchange.CommandAsync(SmtpSteps.StartTls, "STARTTLS", options.Timeouts.Command, stop);
        if (reply.Code != 220)
            return SmtpVerdict.Of(SmtpSteps.StartTls, SmtpFault.TlsFailed, $"The server refused STARTTLS: {reply}") with { MayPass = reply.IsTransient };
        await HandshakeAsync(stop);
        // RFC 3207 §4.2: what the server said before TLS is forgotten, for anybody may have said it.
        var failure = await HelloAsync(stop);
        _inHandshake = false;
        return failure;
    }

    private async Task HandshakeAsync(CancellationToken stop)
    {
        var since = exchange.Conversation.Now;
        exchange.Step = SmtpSteps.Tls;
        try
        {
            // The octets after the reply would be read as if they had come through TLS (CVE-2011-0411).
            if (exchange.Wire.HasInput) throw new SmtpBreakException(SmtpFault.TlsFailed, "The server sent octets between its reply to STARTTLS and TLS.");
            var handshake = new SmtpTlsHandshake(hostName, mode == SmtpTlsMode.Required, options.TrustedRoots);
            Tls = await exchange.Wire.StartTlsAsync(handshake, options.Timeouts.Tls, stop);
        }
        catch (SmtpBreakException broken)
        {
            exchange.Conversation.Add(SmtpSteps.Tls, since, 0, broken.Message);
            throw;
        }
        exchange.Conversation.Add(SmtpSteps.Tls, since, 0, $"TLS {Tls.Version}, {Tls.Cipher}, certificate verified: {Tls.Verified}");
    }

    private static SmtpVerdict? Judge(string step, SmtpReply reply) => reply switch
    {
        { IsSuccess: true } => null,
        { IsIntermediate: true } => SmtpVerdict.Of(step, SmtpFault.ProtocolViolation, $"The server answered {reply.Code}, which has no meaning here."),
        _ => SmtpVerdict.Of(step, reply),
    };
}
