namespace MoxApi.Webhooks.Endpoints;

/// <summary>The rules for where events may be posted to. Which addresses the name may lead to is judged when they are connected to, not here.</summary>
internal static class EndpointUrl
{
    /// <summary>The most characters.</summary>
    public const int MaxLength = 2048;

    /// <summary>Reads an endpoint's URL.</summary>
    /// <param name="text">As it was given.</param>
    /// <param name="allowHttp">Whether it may be without TLS.</param>
    /// <param name="url">The URL.</param>
    /// <returns>What is wrong with it, for people; null where nothing is.</returns>
    public static string? Read(string text, bool allowHttp, out Uri? url)
    {
        url = null;
        if (text.Length > MaxLength) return $"A webhook's URL has at most {MaxLength} characters.";
        if (text.Any(c => c <= ' ' || c == '\\' || char.IsControl(c)) || !Uri.TryCreate(text, UriKind.Absolute, out url) || url.Host.Length == 0)
            return "A webhook's URL is absolute, such as https://app.example.com/hooks/mail.";
        if (url.Scheme != Uri.UriSchemeHttps && url.Scheme != Uri.UriSchemeHttp) return "A webhook's URL begins with https://.";
        if (url.Scheme == Uri.UriSchemeHttp && !allowHttp) return "A webhook's URL begins with https://: events are not posted in clear over public networks.";
        // They would be sent, stored and shown in clear; the signature tells the receiver who posts.
        if (url.UserInfo.Length > 0) return "A webhook's URL has no user name or password: receivers know us by the signature.";
        return url.Fragment.Length > 0 ? "A webhook's URL has no fragment (#…): it would not be sent." : null;
    }
}
