using System.Text;
using MimeKit;
using MimeKit.Utils;

namespace MoxApi.Inbound.Mailboxes;

/// <summary>What lists of messages show of a header, as text that PostgreSQL and JSON can hold.</summary>
/// <param name="MessageId">With angle brackets; empty where there is none.</param>
/// <param name="From">The first author, as <c>Name &lt;address&gt;</c> or the address; empty where none can be read.</param>
/// <param name="Subject">Decoded; empty where there is none.</param>
internal sealed record HeaderSummary(string MessageId, string From, string Subject)
{
    // RFC 5322 §2.1.1: a line has at most 998 characters, and none of these needs more.
    private const int MaxCharacters = 998;

    /// <summary>Reads a header from anyone; whatever is malformed is empty.</summary>
    public static HeaderSummary Read(byte[] header)
    {
        try
        {
            using var stream = new MemoryStream(header, writable: false);
            var fields = HeaderList.Load(stream);
            return new HeaderSummary(MessageIdOf(fields), FromOf(fields), Clean(fields[HeaderId.Subject] ?? ""));
        }
        catch (FormatException)
        {
            return new HeaderSummary("", "", "");
        }
    }

    private static string MessageIdOf(HeaderList fields) =>
        MimeUtils.EnumerateReferences(fields[HeaderId.MessageId] ?? "").FirstOrDefault() is { } id ? Clean($"<{id}>") : "";

    private static string FromOf(HeaderList fields)
    {
        var field = fields.FirstOrDefault(field => field.Id == HeaderId.From);
        if (field is null || !InternetAddressList.TryParse(field.RawValue, out var authors)) return "";
        if (authors.Mailboxes.FirstOrDefault() is not { } author) return "";
        return Clean(string.IsNullOrEmpty(author.Name) ? author.Address : $"{author.Name} <{author.Address}>");
    }

    // No control characters (PostgreSQL's text has no NUL), no lone surrogates (UTF-8 has none).
    private static string Clean(string text)
    {
        var printable = string.Concat(text.Where(c => !char.IsControl(c)).Take(MaxCharacters));
        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(printable));
    }
}
