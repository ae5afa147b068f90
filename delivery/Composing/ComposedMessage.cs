using MoxApi.Mail.Dkim;

namespace MoxApi.Delivery.Composing;

/// <summary>A message whose body has been written. Header and body are apart: the message is the one followed by the other.</summary>
/// <param name="Header">The header fields and the empty line after them.</param>
/// <param name="BodyHash">The hash of the body for DKIM (<see cref="DkimBodyHash"/>).</param>
/// <param name="BodySize">The length of the body in octets.</param>
/// <param name="MessageId">With its angle brackets.</param>
/// <param name="NeedsSmtpUtf8">Whether a server without SMTPUTF8 must not be given the header (RFC 6531 §3.2).</param>
public sealed record ComposedMessage(byte[] Header, byte[] BodyHash, long BodySize, string MessageId, bool NeedsSmtpUtf8)
{
    /// <summary>Puts the signatures of all the signers before the header.</summary>
    /// <param name="signers">One for each active key of the author's domain.</param>
    /// <param name="at">The time of signing.</param>
    /// <param name="expires">When the signatures end, or never.</param>
    public SignedMessage Sign(IEnumerable<DkimSigner> signers, DateTimeOffset at, DateTimeOffset? expires = null)
    {
        byte[] signed = [];
        foreach (var signer in signers) signed = [.. signed, .. signer.Sign(Header, BodyHash, at, expires)];
        signed = [.. signed, .. Header];
        return new SignedMessage(signed, signed.Length + BodySize, MessageId, NeedsSmtpUtf8);
    }
}

/// <summary>The header of a message with its signatures; its body was written when it was composed.</summary>
/// <param name="Header">The DKIM-Signature fields, the other fields, and the empty line after them.</param>
/// <param name="Size">The length of header and body in octets.</param>
/// <param name="MessageId">With its angle brackets.</param>
/// <param name="NeedsSmtpUtf8">Whether a server without SMTPUTF8 must not be given the header (RFC 6531 §3.2).</param>
public sealed record SignedMessage(byte[] Header, long Size, string MessageId, bool NeedsSmtpUtf8);
