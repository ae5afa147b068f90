using System.Net.Http.Headers;
using System.Text.Json;

namespace MoxApi.Webhooks.Posting;

/// <summary>Header fields as a JSON object of texts, to be kept.</summary>
internal static class HeaderText
{
    /// <summary>Those of a request, with Host, which is made of its URL when it is sent.</summary>
    public static string Of(HttpRequestMessage request)
    {
        _ = request.Content!.Headers.ContentLength; // Asking computes it; it is sent as well.
        var fields = new Dictionary<string, string> { ["Host"] = request.RequestUri!.Authority };
        Add(fields, request.Headers);
        Add(fields, request.Content.Headers);
        return Write(fields);
    }

    /// <summary>Those of an answer.</summary>
    public static string Of(HttpResponseMessage answer)
    {
        var fields = new Dictionary<string, string>();
        Add(fields, answer.Headers);
        Add(fields, answer.Content.Headers);
        return Write(fields);
    }

    // RFC 9110 §5.3: several fields of a name mean the same as one with their values in a list; in User-Agent a space separates them.
    private static void Add(Dictionary<string, string> fields, HttpHeaders headers)
    {
        foreach (var field in headers.NonValidated) fields[field.Key] = field.Value.ToString();
    }

    private static string Write(Dictionary<string, string> fields) => JsonSerializer.Serialize(fields);
}
