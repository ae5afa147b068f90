using System.Text;

namespace MoxApi.Bench.Loading;

/// <summary>The messages of the load: of a size that a shop's receipt has, 2 to 3 KB when signed.</summary>
internal static class Messages
{
    private const string Paragraph =
        "Thank you for your order. It was packed this morning and will be with you within three days. You need not do anything; we write again when it is on its way. ";

    /// <summary>The domain of a number.</summary>
    public static string Domain(int number) => $"d{number:0000}.bench.example";

    /// <summary>The Message-ID of a run's message.</summary>
    public static string Id(string run, int number) => $"<{run}.{number:00000000}@acme.example>";

    /// <summary>A request that sends one message.</summary>
    public static Template Request(string run, string key, string? attachment = null) => Post("/v1/messages", key, "", Json(run, attachment));

    /// <summary>A request that sends one message and names the send.</summary>
    public static Template NamedRequest(string run, string key) => Post("/v1/messages", key, $"Idempotency-Key: {run}.{{number}}\r\n", Json(run));

    /// <summary>A request that sends many.</summary>
    public static Template Batch(string run, string key, int size)
    {
        var messages = Enumerable.Range(0, size).Select(n => (n == 0 ? "{\"messages\": [" : ",") + Json(run) + (n == size - 1 ? "]}" : "")).ToArray();
        return Post("/v1/messages/batch", key, "", messages);
    }

    /// <summary>The commands that send one message by SMTP.</summary>
    public static Template Commands() => new($"MAIL FROM:<bounce@acme.example>\r\nRCPT TO:<{Recipient}>\r\nDATA\r\n");

    /// <summary>The same message that the program sent, for another sender of it: only its Message-ID changes.</summary>
    /// <param name="raw">The message as the program sent it.</param>
    /// <param name="sent">Its Message-ID.</param>
    /// <param name="run">The run that it is to belong to.</param>
    public static Template Copy(byte[] raw, string sent, string run)
    {
        var text = Encoding.UTF8.GetString(raw).Replace(sent, Place(run), StringComparison.Ordinal).Replace("\r\n.", "\r\n..", StringComparison.Ordinal);
        return new(text + (text.EndsWith("\r\n", StringComparison.Ordinal) ? "" : "\r\n") + ".\r\n");
    }

    /// <summary>The message of a request, with places for its number.</summary>
    public static string Json(string run, string? attachment = null) => $$"""
        {"from": "Acme, Inc. <receipts@acme.example>", "to": ["Jane Doe <{{Recipient}}>"], "subject": "Your receipt {number}", "text": "Dear Jane,\n\n{{Paragraph}}\n\n{{Paragraph}}\n\nAcme, Inc.",
        "html": "<html><body><p>Dear Jane,</p><p>{{Paragraph}}</p><p><a href=\"https://www.acme.example/orders/{number}\">Your order</a></p><p>{{Paragraph}}</p></body></html>",
        "tags": ["receipt"], "metadata": {"order": "{number}"}, "messageId": "{{Place(run)}}"{{(attachment is null ? "" : $$""", "attachments": [{"filename": "receipt.pdf", "contentType": "application/pdf", "content": "{{attachment}}"}]""")}}}
        """;

    private const string Recipient = "u{number}@d{to}.bench.example";

    private static string Place(string run) => $"<{run}.{{number}}@acme.example>";

    private static Template Post(string path, string key, string fields, params string[] json)
    {
        var header = HttpConnection.Header(path, key, json.Sum(Encoding.UTF8.GetByteCount), fields: fields);
        return new([header + json[0], .. json[1..]]);
    }
}
