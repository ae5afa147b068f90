using System.IO.Pipelines;
using MoxApi.Inbound.Connections;
using MoxApi.Mail.Smtp;
using MoxApi.Mail.Smtp.Grammar;

namespace MoxApi.Inbound.Smtp;

/// <summary>Sends replies, many in one packet where the client sent many commands in one (RFC 2920 §3.2).</summary>
internal sealed class ReplyWriter(PipeWriter output, ConnectionLifetime lifetime, TimeSpan patience)
{
    // A client that sends commands without end and reads nothing does not fill our memory with replies.
    private const int MaxUnflushedOctets = 4096;

    /// <summary>Adds a reply to those to be sent.</summary>
    public void Write(SmtpReply reply) => SmtpReplyWriter.Write(output, reply);

    /// <summary>Sends what was written, unless the client has sent more commands already: their replies go with these.</summary>
    public ValueTask FlushUnlessAsync(bool moreCommands) =>
        moreCommands && output.UnflushedBytes < MaxUnflushedOctets ? ValueTask.CompletedTask : FlushAsync();

    /// <summary>Sends what was written; waits for a client that is slow to read no longer than for a command.</summary>
    public async ValueTask FlushAsync()
    {
        if (output.UnflushedBytes == 0) return;
        lifetime.Expect(patience);
        await output.FlushAsync(lifetime.Silence);
        lifetime.Relax();
    }

    /// <summary>Sends what was written if that needs no waiting for the client.</summary>
    public bool TryFlush() => output.FlushAsync(CancellationToken.None).AsTask().IsCompleted;
}
