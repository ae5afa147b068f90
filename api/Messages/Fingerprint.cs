using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MoxApi.Api.Messages;

/// <summary>
/// A digest of what a send asks for: over the parsed fields and the digests of the files, because the same message may come in other octets
/// (white space, the order of fields, the boundaries of a form).
/// </summary>
internal static class Fingerprint
{
    /// <summary>SHA-256.</summary>
    /// <param name="message">The message.</param>
    /// <param name="isTest">Whether a key for tests sends it: then it goes nowhere, and its answer is none for a message that is to arrive.</param>
    public static byte[] Of(OutgoingMessage message, bool isTest)
    {
        // From the public form of each field; files by their digest. Names are sorted where their order says nothing.
        var fields = new FingerprintFields(
            message.From?.ToString(), [.. message.To.Select(a => a.ToString())], [.. message.Cc.Select(a => a.ToString())], [.. message.Bcc.Select(a => a.ToString())],
            [.. message.ReplyTo.Select(a => a.ToString())], message.Subject, message.Text, message.Html,
            [.. message.Attachments.SelectMany(a => new[] { a.Filename, a.ContentType, a.ContentId, Convert.ToHexString(a.Content.Sha256.Span) })],
            [.. message.Headers.SelectMany(h => new[] { h.Name, h.Value })], [.. message.Tags],
            [.. message.Metadata.OrderBy(m => m.Key, StringComparer.Ordinal).SelectMany(m => new[] { m.Key, m.Value })],
            [.. message.References], message.InReplyTo, message.MessageId, message.Date, message.SendAt, message.RequireTls.ToString(),
            message.ReturnPath?.ToString(), isTest);
        return SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(fields, FingerprintJson.Default.FingerprintFields));
    }
}

internal sealed record FingerprintFields(
    string? From, string[] To, string[] Cc, string[] Bcc, string[] ReplyTo, string? Subject, string? Text, string? Html, string?[] Attachments, string[] Headers,
    string[] Tags, string[] Metadata, string[] References, string? InReplyTo, string? MessageId, DateTimeOffset? Date,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? SendAt, string RequireTls, string? ReturnPath,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool IsTest);

[JsonSerializable(typeof(FingerprintFields))]
internal sealed partial class FingerprintJson : JsonSerializerContext;
