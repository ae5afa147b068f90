using System.Text.Json.Serialization;

namespace MoxApi.OpenApi.Messages;

/// <summary>A message to send. Only a recipient and one of <c>text</c> and <c>html</c> are required.</summary>
/// <remarks>An address is <c>address</c> or <c>Name &lt;address&gt;</c>; the name is taken verbatim, without quoting.</remarks>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record SendMessageRequest
{
    /// <summary>Who the message is from. Left out, the account's address.</summary>
    /// <example>Acme, Inc. &lt;receipts@acme.example&gt;</example>
    public string? From { get; init; }

    /// <summary>Recipients named in To. <c>to</c>, <c>cc</c> and <c>bcc</c> together have 1 to 1,000 addresses.</summary>
    /// <example>["Jane Döe &lt;jane@example.org&gt;"]</example>
    public IReadOnlyList<string>? To { get; init; }

    /// <summary>Recipients named in Cc.</summary>
    /// <example>[]</example>
    public IReadOnlyList<string>? Cc { get; init; }

    /// <summary>Recipients that the message does not name.</summary>
    /// <example>[]</example>
    public IReadOnlyList<string>? Bcc { get; init; }

    /// <summary>Where answers go, at most 20 addresses. Left out, to From.</summary>
    /// <example>["help@acme.example"]</example>
    public IReadOnlyList<string>? ReplyTo { get; init; }

    /// <summary>The subject: one line of at most 998 characters.</summary>
    /// <example>Your receipt ☺</example>
    public string? Subject { get; init; }

    /// <summary>The message as plain text.</summary>
    /// <example>Thank you for your order.</example>
    public string? Text { get; init; }

    /// <summary>The message as HTML. With <c>text</c> as well, the reader's program chooses.</summary>
    /// <example>&lt;p&gt;Thank you for your order.&lt;/p&gt;</example>
    public string? Html { get; init; }

    /// <summary>At most 100 files. The whole request has at most 70 MiB.</summary>
    public IReadOnlyList<SendAttachment>? Attachments { get; init; }

    /// <summary>At most 50 further header fields, in this order.</summary>
    public IReadOnlyList<MessageHeader>? Headers { get; init; }

    /// <summary>At most 10 words to group messages by, echoed in events: 1 to 64 characters each, without control characters.</summary>
    /// <example>["receipt"]</example>
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>
    /// At most 50 names with a string each, echoed in events: names of 1 to 64 characters, strings of at most 1,024, all together at most
    /// 16,384.
    /// </summary>
    /// <example>{"orderId": "42"}</example>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>At most 100 ids of the conversation's messages, oldest first (References).</summary>
    /// <example>["&lt;a@acme.example&gt;"]</example>
    public IReadOnlyList<string>? References { get; init; }

    /// <summary>The id of the message that this one answers (In-Reply-To).</summary>
    /// <example>&lt;a@acme.example&gt;</example>
    public string? InReplyTo { get; init; }

    /// <summary>The message's own id (Message-ID) in angle brackets. Left out, one is made.</summary>
    /// <example>&lt;m42@acme.example&gt;</example>
    public string? MessageId { get; init; }

    /// <summary>The Date header, RFC 3339 with an offset. Left out, the time of acceptance.</summary>
    /// <example>2026-11-22T10:00:00Z</example>
    public DateTimeOffset? Date { get; init; }

    /// <summary>
    /// When to send it, RFC 3339 with an offset, at most 60 days ahead. Left out or past, at once. Until then the message can be canceled or given
    /// another time.
    /// </summary>
    /// <example>2026-11-23T08:00:00Z</example>
    public DateTimeOffset? SendAt { get; init; }

    /// <summary>How well the way to the recipient's mail server must be protected.</summary>
    public RequireTls? RequireTls { get; init; }

    /// <summary>The address that bounces go to. Left out, as the account is set.</summary>
    public ReturnPath? ReturnPath { get; init; }

    /// <summary>Whether a copy is kept in the account's mailbox. Not available yet: only <c>false</c> is accepted.</summary>
    /// <example>false</example>
    public bool? SaveSent { get; init; }
}

/// <summary>A file sent with a message.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record SendAttachment
{
    /// <summary>The file's name without a path, 1 to 255 characters.</summary>
    /// <example>receipt.pdf</example>
    public required string Filename { get; init; }

    /// <summary>The media type, such as <c>application/pdf</c>. Left out, <c>application/octet-stream</c>.</summary>
    /// <example>application/pdf</example>
    public string? ContentType { get; init; }

    /// <summary>The file in base64 (RFC 4648 §4, padded; line breaks and spaces are ignored).</summary>
    /// <example>JVBERi0xLjQK</example>
    public required string Content { get; init; }

    /// <summary>Makes the file part of the HTML, which shows it as <c>cid:</c> and this id: 1 to 128 ASCII letters, digits and characters of <c>!$&amp;'*+-/=_~</c>, with single dots between them, and perhaps one <c>@</c> as an address has it.</summary>
    /// <example>logo</example>
    public string? ContentId { get; init; }
}

/// <summary>A header field of the sender's own.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record MessageHeader
{
    /// <summary>The field's name, 1 to 76 characters. Fields that the service writes itself are refused.</summary>
    /// <example>X-Order</example>
    public required string Name { get; init; }

    /// <summary>The field's text, one line of at most 4,096 characters; it is encoded and folded as needed.</summary>
    /// <example>42</example>
    public required string Value { get; init; }
}

/// <summary>
/// How the way to the recipient's server is protected: <c>default</c> uses TLS where the server has it; <c>required</c> asks for a verified
/// certificate and REQUIRETLS (RFC 8689), or the recipient fails with 5.7.30; <c>relaxed</c> puts delivery before protection.
/// </summary>
public enum RequireTls
{
    Default,
    Required,
    Relaxed,
}

/// <summary>
/// Where bounces go: <c>unique</c> is an unguessable address per recipient, so that a bounce names its message; <c>sender</c> is the address of
/// From.
/// </summary>
public enum ReturnPath
{
    Unique,
    Sender,
}
