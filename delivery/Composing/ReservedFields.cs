using System.Collections.Frozen;

namespace MoxApi.Delivery.Composing;

/// <summary>
/// Header fields that no sender sets as fields of his own: the composer writes them of other parts of a draft, or they are for the servers on the way to
/// write, who would take a sender's for theirs.
/// </summary>
public static class ReservedFields
{
    private static readonly FrozenSet<string> Names = new[]
    {
        // RFC 5322 §3.6: at most one of each, which the composer writes. Sender would be a second author.
        "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "MIME-Version",
        // RFC 5321 §4.4, RFC 7208 §9.1 and what servers made up: where a message came from and went to.
        "Return-Path", "Received", "Received-SPF", "Delivered-To", "X-Original-To", "Envelope-To",
        // RFC 8601 §5: receivers trust it.
        "Authentication-Results",
        // RFC 8689 §5: asked for by a field of the draft.
        "TLS-Required",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly string[] Prefixes = ["Content-", "Resent-", "DKIM-", "DomainKey-", "ARC-"];

    /// <summary>Whether a field is reserved.</summary>
    public static bool Has(string name) => Names.Contains(name) || Prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
}
