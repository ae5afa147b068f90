using MoxApi.Mail.Addresses;

namespace MoxApi.Inbound.Mailboxes;

/// <summary>How incoming mail finds its mailbox.</summary>
internal sealed record MailboxOptions
{
    /// <summary>The address whose account receives everything, in the local sandbox; null elsewhere.</summary>
    public MailAddress? SandboxAddress { get; init; }

    /// <summary>How long the sandbox's "timeout" addresses hang where the client waits that long: longer than any client should (RFC 5321 §4.5.3.2.3).</summary>
    public TimeSpan SandboxHang { get; init; } = TimeSpan.FromMinutes(10);
}
