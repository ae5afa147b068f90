using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MoxApi.Mail.Addresses;

namespace MoxApi.Mail.Dkim;

/// <summary>
/// Signs headers over a body hash as a domain (RFC 6376 §5, RFC 8463). Header and body are apart: the body is hashed once, while it streams,
/// and each recipient's header can be signed over the same hash. Safe for concurrent use.
/// </summary>
/// <param name="domain">The signing domain, <c>d=</c>: that of the From address, so that the signature aligns in DMARC.</param>
/// <param name="selector">The selector, <c>s=</c>: one or more labels, such as <c>m2026a</c>.</param>
/// <param name="key">The private key, which stays the caller's to dispose of.</param>
public sealed class DkimSigner(MailDomain domain, string selector, DkimKey key)
{
    private readonly string identity =
        $"DKIM-Signature: v=1; a={key.AlgorithmName}; c=relaxed/relaxed;\r\n\td={domain.Ascii};\r\n\ts={selector};";

    /// <summary>Makes the <c>DKIM-Signature</c> field for a header, to be put before it.</summary>
    /// <param name="header">The header fields, each with its CRLF; the empty line after them may be there.</param>
    /// <param name="bodyHash">What <see cref="DkimBodyHash.Complete"/> said about the body.</param>
    /// <param name="at">The time of signing, <c>t=</c>.</param>
    /// <param name="expires">When the signature ends, <c>x=</c>, later than <paramref name="at"/>; or never.</param>
    /// <returns>The field, folded below 78 columns where the domain allows it, with its CRLF.</returns>
    public byte[] Sign(ReadOnlySpan<byte> header, ReadOnlySpan<byte> bodyHash, DateTimeOffset at, DateTimeOffset? expires = null)
    {
        if (expires <= at) throw new ArgumentException("RFC 6376 §3.5: x= is later than t=.", nameof(expires));
        var input = new ArrayBufferWriter<byte>(2048);
        var names = SealedHeader.Write(input, header);
        var field = new StringBuilder(identity, 1024).Append(CultureInfo.InvariantCulture, $" t={at.ToUnixTimeSeconds()};");
        if (expires is { } end) field.Append(CultureInfo.InvariantCulture, $" x={end.ToUnixTimeSeconds()};");
        AppendNames(field, names);
        field.Append("\r\n\tbh=").Append(Convert.ToBase64String(bodyHash)).Append(";\r\n\tb=");
        // RFC 6376 §3.7: the signature's own field comes last, with an empty b= and without its CRLF.
        RelaxedHeader.Write(input, Encoding.ASCII.GetBytes(field.ToString()));
        AppendFolded(field, Convert.ToBase64String(key.SignHash(SHA256.HashData(input.WrittenSpan))));
        return Encoding.ASCII.GetBytes(field.Append("\r\n").ToString());
    }

    private static void AppendNames(StringBuilder field, List<string> names)
    {
        field.Append("\r\n\th=");
        var column = 10;
        for (var n = 0; n < names.Count; n++)
        {
            if (column + names[n].Length > 76)
            {
                field.Append("\r\n\t ");
                column = 9;
            }
            field.Append(names[n]).Append(n + 1 < names.Count ? ':' : ';');
            column += names[n].Length + 1;
        }
    }

    private static void AppendFolded(StringBuilder field, string base64)
    {
        for (var start = 0; start < base64.Length; start += 68)
        {
            if (start > 0) field.Append("\r\n\t ");
            field.Append(base64, start, Math.Min(68, base64.Length - start));
        }
    }
}
