using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using MoxApi.Inbound.Connections;
using MoxApi.Inbound.Smtp.Commands;
using MoxApi.Mail.Smtp;
using MoxApi.Mail.Smtp.Grammar;
using MoxApi.Migrations.Writing;

namespace MoxApi.Inbound.Smtp;

/// <summary>
/// One SMTP connection (RFC 5321 §3.1): read a line, parse it, act, reply. The commands stand in <c>Commands/</c>; each begins with its
/// guards, and returns the client's mistakes as replies.
/// </summary>
internal sealed partial class SmtpSession(SmtpServer server, SmtpPeer peer, ConnectionContext connection, ConnectionLifetime lifetime)
{
    // RFC 5321 §4.2.3: 452, insufficient system storage; another try may find room.
    public static SmtpReply NoRoom { get; } = new(452, new(4, 3, 1), "There is no room for the message now, please try again later.");

    private readonly LineReader lines = new(connection.Transport.Input, SmtpCommandParser.MaxLineOctets);
    private ISmtpTransaction? transaction;
    private int faults;
    private int idle;

    public SmtpOptions Options => server.Options;

    public TimeProvider Time => server.Time;

    public BytesInFlight InFlight => server.InFlight;

    public ReplyWriter Replies { get; } = new(connection.Transport.Output, lifetime, server.Options.CommandTimeout);

    /// <summary>The last EHLO or HELO; null before it.</summary>
    public HelloCommand? Hello { get; set; }

    /// <summary>The envelope of the open mail transaction; null when none is open.</summary>
    public SmtpEnvelope? Envelope { get; private set; }

    /// <summary>The open mail transaction, where <see cref="Envelope"/> is not null.</summary>
    public ISmtpTransaction Transaction => transaction ?? throw new InvalidOperationException("No mail transaction is open.");

    /// <summary>Says that there is no room for the connection.</summary>
    public void TurnAway() => SayGoodbye(new SmtpReply(421, new(4, 7, 0), "Too many connections, please try again later."));

    /// <summary>Runs the connection to its end.</summary>
    public async Task RunAsync()
    {
        try
        {
            // RFC 5321 §4.2: the greeting names us; RFC 2034 §4 keeps enhanced codes out of it.
            Replies.Write(new SmtpReply(220, null, $"{Options.HostName} ESMTP MoxApi"));
            while (await NextAsync() is { } reply)
            {
                Replies.Write(reply);
                server.Metrics.Replied(reply);
                // RFC 5321 §4.1.1.10, §3.8: the server closes after its reply to QUIT, and after 421.
                if (reply.Code is 221 or 421) break;
            }
            await Replies.FlushAsync();
        }
        catch (OperationCanceledException) when (lifetime.IsSilent)
        {
            // RFC 5321 §4.5.3.2.7.
            SayGoodbye(new SmtpReply(421, new(4, 4, 2), "You were silent for too long, closing."));
        }
        catch (OperationCanceledException) when (lifetime.IsStopping)
        {
            // RFC 5321 §3.8: a server that must stop says so rather than just close.
            SayGoodbye(new SmtpReply(421, new(4, 3, 2), "The server is stopping, please try again later."));
        }
        catch (OperationCanceledException) when (lifetime.HasEnded)
        {
            // The client left while we worked for it: there is nobody to reply to.
        }
        finally
        {
            await ResetAsync();
        }
    }

    /// <summary>Opens a mail transaction.</summary>
    public ISmtpTransaction Begin(HelloCommand hello, MailCommand mail)
    {
        Envelope = new SmtpEnvelope(peer, hello, mail);
        return transaction = server.Backend.Begin(Envelope);
    }

    /// <summary>Ends the mail transaction, if one is open.</summary>
    public async ValueTask ResetAsync()
    {
        var ended = transaction;
        transaction = null;
        Envelope = null;
        if (ended is not null) await ended.DisposeAsync();
    }

    /// <summary>Counts a mistake, of which a connection may make few.</summary>
    /// <returns>The reply given; the last one allowed becomes 421.</returns>
    public SmtpReply Fault(SmtpReply reply) =>
        ++faults < Options.MaxFaults ? reply : new SmtpReply(421, new(4, 7, 0), $"Too many errors, closing. The last one: {reply}");

    /// <summary>A message was stored. The mistakes, and what was said to no end, are forgotten: a client whose mail is wanted may stay for much of it.</summary>
    public void MessageTaken()
    {
        server.Metrics.Messages.Add(1);
        (faults, idle) = (0, 0);
    }

    /// <summary>
    /// Refuses a message that would not fit among those in flight, before it is sent (RFC 1870 §6.1). Where its size is not known, it is taken for one that
    /// just needs no file.
    /// </summary>
    public SmtpReply? RefuseForWantOfRoom(MailCommand mail) => InFlight.HasRoomFor(mail.Size ?? MessageSpool.MaxOctetsInMemory) ? null : NoRoom;

    /// <summary>Reads a message after DATA, to its end.</summary>
    public async ValueTask<SmtpReply?> ReceiveAsync(MessageSpool spool)
    {
        try
        {
            return await new MessageReader(connection.Transport.Input, lifetime, Options, Time).ReadAsync(spool);
        }
        catch (Exception thrown) when (!EndsTheSession(thrown))
        {
            // RFC 5321 §3.8: the rest of the message would be taken for commands.
            return new SmtpReply(421, new(4, 3, 0), $"{Excuse(thrown).Text} Closing.");
        }
    }

    private async ValueTask<SmtpReply?> NextAsync()
    {
        // RFC 2920 §3.2: replies wait while more commands are there to be answered.
        await Replies.FlushUnlessAsync(lines.HasCompleteLine);
        lifetime.Expect(Options.CommandTimeout);
        var line = await lines.ReadAsync(lifetime.Pause);
        lifetime.Relax();
        return line.Status switch
        {
            LineStatus.Closed => null,
            LineStatus.TooLong => Fault(new SmtpReply(500, new(5, 5, 2), $"A line has at most {SmtpCommandParser.MaxLineOctets} octets.")),
            _ => await AnswerAsync(line.Octets),
        };
    }

    private async ValueTask<SmtpReply> AnswerAsync(byte[] line)
    {
        if (IsHttp(line)) return new SmtpReply(421, new(4, 7, 0), "This is SMTP, not HTTP.");
        var grammar = new SmtpGrammarOptions(Options.Pedantic, Envelope?.Mail.SmtpUtf8 ?? false);
        if (!SmtpCommandParser.TryParse(line, grammar, out var command, out var fault)) return Fault(fault);
        try
        {
            var reply = await ExecuteAsync(command);
            return IsIdle(command, reply) && ++idle > Options.MaxIdleCommands
                ? new SmtpReply(421, new(4, 7, 0), "Too many commands and no message, closing.")
                : reply;
        }
        catch (Exception thrown) when (!EndsTheSession(thrown))
        {
            return Excuse(thrown);
        }
    }

    private bool EndsTheSession(Exception thrown) => thrown is ConnectionResetException or ConnectionAbortedException || (thrown is OperationCanceledException && lifetime.HasEnded);

    // What brings no message nearer. RFC 5321 §4.5.3.1.10: recipients past the limit come in one piece, and are meant for the next message.
    private static bool IsIdle(SmtpCommand command, SmtpReply reply) => command switch
    {
        DataCommand or QuitCommand => false,
        MailCommand => !reply.IsSuccess,
        RcptCommand => !reply.IsSuccess && reply.Code != 452,
        _ => true,
    };

    // The one place where what nobody foresaw, or nobody here can help, becomes a reply: the client may try again, and the session goes on.
    private SmtpReply Excuse(Exception fault)
    {
        var full = fault is IOException or UnauthorizedAccessException || PassingFault.IsShortage(fault);
        if (full || PassingFault.IsOutage(fault)) Log.Passing(server.Logger, peer.Address, fault.Message);
        else Log.Unexpected(server.Logger, fault, peer.Address, Envelope?.Id);
        return full ? NoRoom : new SmtpReply(451, new(4, 3, 0), "Something went wrong here, please try again later.");
    }

    private async ValueTask<SmtpReply> ExecuteAsync(SmtpCommand command) => command switch
    {
        HelloCommand hello => await HelloHandler.ExecuteAsync(this, hello),
        MailCommand mail => await MailHandler.ExecuteAsync(this, mail, lifetime.Any),
        RcptCommand rcpt => await RcptHandler.ExecuteAsync(this, rcpt, lifetime.Any),
        DataCommand => await DataHandler.ExecuteAsync(this),
        RsetCommand => await RsetHandler.ExecuteAsync(this),
        NoopCommand => new SmtpReply(250, new(2, 0, 0), "Ok"),
        QuitCommand => new SmtpReply(221, new(2, 0, 0), "Bye"),
        HelpCommand => new SmtpReply(214, new(2, 0, 0), "EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT; see RFC 5321."),
        // RFC 5321 §3.5.3, §7.3: who may not know which mailboxes exist gets 252, the same for all.
        VrfyCommand => new SmtpReply(252, new(2, 5, 0), "Not verified; send to it and see."),
        // RFC 5321 §4.2.4: 502, known and not implemented.
        _ => Fault(new SmtpReply(502, new(5, 5, 1), $"{command} is not implemented.")),
    };

    // A web page can make a browser send any text to a port of this machine as the body of a request. The request line comes first, so
    // nothing in the body is ever taken for commands.
    private static bool IsHttp(ReadOnlySpan<byte> line) => line.EndsWith(" HTTP/1.1"u8) || line.EndsWith(" HTTP/1.0"u8);

    private void SayGoodbye(SmtpReply reply)
    {
        Replies.Write(reply);
        server.Metrics.Replied(reply);
        // A client that does not read is not waited for.
        if (!Replies.TryFlush()) connection.Abort(new ConnectionAbortedException("The client reads nothing."));
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "SMTP command of {Peer} could not be served for now: {Fault}")]
        public static partial void Passing(ILogger logger, IPAddress peer, string fault);

        [LoggerMessage(Level = LogLevel.Error, Message = "SMTP command of {Peer} failed, transaction {Transaction}")]
        public static partial void Unexpected(ILogger logger, Exception exception, IPAddress peer, string? transaction);
    }
}
