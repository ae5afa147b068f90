using System.Net;
using MoxApi.Delivery.Outcomes;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Messages;

namespace MoxApi.Delivery.Queue;

/// <summary>What the recipients of a message share at delivery.</summary>
/// <param name="Id">The message.</param>
/// <param name="AccountId">Whose it is.</param>
/// <param name="DomainId">The author's domain, where it is one of ours.</param>
/// <param name="AcceptedAt">When it was accepted.</param>
/// <param name="ReversePath">The reverse-path of all recipients; absent where each has its own.</param>
/// <param name="ReturnPathDomain">The domain of unique return paths.</param>
/// <param name="RequireTls">What the message asks of the transport.</param>
/// <param name="NeedsSmtpUtf8">Whether its header needs SMTPUTF8.</param>
/// <param name="Header">The header block with the empty line that ends it.</param>
/// <param name="BodyId">Where the body is stored.</param>
/// <param name="BodySize">Octets of the body.</param>
/// <param name="Body">The body, where it is in memory; large ones are read while they are sent.</param>
internal sealed record QueuedMessage(
    long Id, long AccountId, long? DomainId, DateTimeOffset AcceptedAt, MailAddress? ReversePath, string? ReturnPathDomain, RequireTls RequireTls, bool NeedsSmtpUtf8,
    ReadOnlyMemory<byte> Header, long BodyId, long BodySize, ReadOnlyMemory<byte>? Body)
{
    /// <summary>Its octets that are in memory.</summary>
    public long Bytes => Header.Length + (Body?.Length ?? 0);
}

/// <summary>A recipient in hand: what its outcome needs, whatever is wrong with the rest of what is stored.</summary>
/// <param name="Id">The recipient.</param>
/// <param name="Lease">The session that holds it.</param>
/// <param name="MessageId">The message.</param>
/// <param name="AcceptedAt">When that was accepted.</param>
/// <param name="Attempts">Attempts made before this one.</param>
/// <param name="ExpiresAt">The end of its life in the queue.</param>
/// <param name="Retries">When further attempts are due.</param>
internal record QueuedRow(long Id, long Lease, long MessageId, DateTimeOffset AcceptedAt, int Attempts, DateTimeOffset ExpiresAt, RetrySchedule Retries);

/// <summary>A recipient on its way, with all that an attempt needs.</summary>
/// <param name="Id">The recipient.</param>
/// <param name="Lease">The session that holds it.</param>
/// <param name="Address">The forward-path.</param>
/// <param name="Attempts">Attempts made before this one.</param>
/// <param name="ExpiresAt">The end of its life in the queue.</param>
/// <param name="Retries">When further attempts are due.</param>
/// <param name="RefusedAt">The address of a dual-stack host that refused the first attempt by policy (5.7.x): the next goes over the other family.</param>
/// <param name="Message">The message.</param>
internal sealed record QueuedRecipient(
    long Id, long Lease, MailAddress Address, int Attempts, DateTimeOffset ExpiresAt, RetrySchedule Retries, IPAddress? RefusedAt, QueuedMessage Message)
    : QueuedRow(Id, Lease, Message.Id, Message.AcceptedAt, Attempts, ExpiresAt, Retries)
{
    /// <summary>When it was last looked up whether it may be sent to: see <see cref="Admission"/>.</summary>
    public DateTimeOffset CheckedAt { get; init; } = Message.AcceptedAt;
}

/// <summary>Recipients that were read.</summary>
/// <param name="Ready">Those that can be sent to.</param>
/// <param name="Unreadable">Those of whom something cannot be read as it is stored.</param>
/// <param name="Refused">Those that are not to be sent to.</param>
/// <param name="Left">Those for whose messages there was no room.</param>
internal sealed record LoadedRows(List<QueuedRecipient> Ready, List<QueuedRow> Unreadable, RefusedRows Refused, List<long> Left);
