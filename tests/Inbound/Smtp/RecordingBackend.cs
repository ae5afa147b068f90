using System.Collections.Concurrent;
using System.Threading.Channels;
using MoxApi.Inbound.Smtp;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Smtp;

namespace MoxApi.Tests.Inbound.Smtp;

/// <summary>A back-end that keeps what it was given, and fails as the sandbox does.</summary>
internal sealed class RecordingBackend : ISmtpBackend
{
    private readonly Channel<Received> received = Channel.CreateUnbounded<Received>();
    private int open;

    public static SmtpReply Ok { get; } = new(250, new(2, 0, 0), "Ok");

    /// <summary>What happens before a message is stored.</summary>
    public Func<CancellationToken, ValueTask> Storing { get; set; } = _ => ValueTask.CompletedTask;

    /// <summary>The transactions that were begun and not yet disposed.</summary>
    public int Open => Volatile.Read(ref open);

    public ConcurrentQueue<string> Left { get; } = new();

    public ISmtpTransaction Begin(SmtpEnvelope envelope)
    {
        Interlocked.Increment(ref open);
        return new Transaction(this, envelope);
    }

    public async Task<Received> NextAsync()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        return await received.Reader.ReadAsync(deadline.Token);
    }

    public bool HasReceived => received.Reader.Count > 0;

    /// <summary>A stored message: our Received field apart from the octets that the client sent.</summary>
    public sealed record Received(SmtpEnvelope Envelope, string Trace, byte[] Octets, bool WasOnDisk);

    private sealed class Transaction(RecordingBackend backend, SmtpEnvelope envelope) : ISmtpTransaction
    {
        public ValueTask<SmtpReply> MailAsync(CancellationToken cancellationToken) => envelope.ReversePath?.LocalPart == "throws"
            ? throw new InvalidOperationException("A test's fault.")
            : ValueTask.FromResult(envelope.ReversePath?.LocalPart == "refused" ? new SmtpReply(550, new(5, 7, 1), "Not you") : Ok);

        public async ValueTask<SmtpReply> RcptAsync(MailAddress recipient, CancellationToken cancellationToken)
        {
            var behaviour = SandboxAddresses.Of(recipient.LocalPart);
            if (!behaviour.Hangs) return behaviour.Reply ?? Ok;
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
                return Ok;
            }
            finally
            {
                backend.Left.Enqueue(recipient.LocalPart);
            }
        }

        public async ValueTask<SmtpReply> DataAsync(MessageSpool content, CancellationToken cancellationToken)
        {
            await backend.Storing(cancellationToken);
            var onDisk = content.IsOnDisk;
            await using var stream = await content.OpenAsync(cancellationToken);
            using var copy = new MemoryStream();
            await stream.CopyToAsync(copy, cancellationToken);
            var octets = copy.ToArray();
            // The trace field ends at the first CRLF that no white space follows.
            var end = 0;
            do end = end + octets.AsSpan(end).IndexOf("\r\n"u8) + 2;
            while (end < octets.Length && octets[end] == '\t');
            await backend.received.Writer.WriteAsync(new Received(envelope, System.Text.Encoding.UTF8.GetString(octets, 0, end), octets[end..], onDisk), cancellationToken);
            return new SmtpReply(250, new(2, 0, 0), $"Ok {envelope.Id}");
        }

        public ValueTask DisposeAsync()
        {
            Interlocked.Decrement(ref backend.open);
            return ValueTask.CompletedTask;
        }
    }
}
