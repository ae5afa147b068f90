using MoxApi.Mail.Addresses;

namespace MoxApi.Delivery.Composing;

/// <summary>
/// What a message is composed of, in plain values. Blind recipients are not here: they belong to the envelope, and no header names them.
/// </summary>
public sealed record MessageDraft
{
    /// <summary>The author.</summary>
    public required Mailbox From { get; init; }

    /// <summary>Where answers go instead of to the author.</summary>
    public IReadOnlyList<Mailbox> ReplyTo { get; init; } = [];

    /// <summary>The recipients that the header names first.</summary>
    public IReadOnlyList<Mailbox> To { get; init; } = [];

    /// <summary>The other recipients that the header names.</summary>
    public IReadOnlyList<Mailbox> Cc { get; init; } = [];

    /// <summary>The subject, in plain Unicode.</summary>
    public string? Subject { get; init; }

    /// <summary>The text for readers without HTML; any line ends.</summary>
    public string? Text { get; init; }

    /// <summary>The HTML; any line ends.</summary>
    public string? Html { get; init; }

    /// <summary>Files.</summary>
    public IReadOnlyList<MessageFile> Attachments { get; init; } = [];

    /// <summary>Further header fields, in this order.</summary>
    public IReadOnlyList<MessageHeader> Headers { get; init; } = [];

    /// <summary>The id with its angle brackets, <c>&lt;left@right&gt;</c>; made at random under the author's domain unless given.</summary>
    public string? MessageId { get; init; }

    /// <summary>The date of the header; now unless given.</summary>
    public DateTimeOffset? Date { get; init; }

    /// <summary>
    /// The octets that the body will have, by and large, so that there may be room from the start: base64 makes four of three, and lines have ends.
    /// </summary>
    public long LikelyBodySize => 512 + (Text?.Length ?? 0) + (Html?.Length ?? 0) + Attachments.Sum(file => 512 + (file.Length * 11 / 8));

    /// <summary>The id of the message that this one answers, with its angle brackets.</summary>
    public string? InReplyTo { get; init; }

    /// <summary>The ids of the thread, oldest first, with their angle brackets.</summary>
    public IReadOnlyList<string> References { get; init; } = [];
}

/// <summary>A file of a message.</summary>
/// <param name="FileName">Its name, in plain Unicode and without a path; or none.</param>
/// <param name="ContentType">Its media type, perhaps with parameters, such as <c>text/csv; charset=utf-8</c>.</param>
/// <param name="Open">Opens its content at the start. The composer reads it once, in pieces, and disposes of it.</param>
/// <param name="ContentId">The name by which the HTML shows it (<c>cid:</c>), without angle brackets; makes it part of the page.</param>
public sealed record MessageFile(string? FileName, string ContentType, Func<Stream> Open, string? ContentId = null)
{
    /// <summary>Its octets, where they are known: see <see cref="MessageDraft.LikelyBodySize"/>.</summary>
    public long Length { get; init; }
}

/// <summary>A header field of the sender's own.</summary>
/// <param name="Name">Such as <c>X-Order</c>; not one of those that the composer or the mail system sets.</param>
/// <param name="Value">In plain Unicode.</param>
public sealed record MessageHeader(string Name, string Value);
