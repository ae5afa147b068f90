using MoxApi.Api.Json;
using MoxApi.Api.Messages.Rules;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Webhooks;

namespace MoxApi.Api.Webhooks;

/// <summary>The rules for a webhook. Whether its address is public is found out at each connection, not here.</summary>
internal static class WebhookRules
{
    public const int MaxUrl = 2048;
    public const int MaxDescription = 256;

    public static void Check(CreateWebhookRequest request, bool allowHttp, Faults faults)
    {
        if (UrlFault(request.Url, allowHttp) is { } fault) faults.Add("/url", FaultCodes.InvalidUrl, fault);
        TextRules.OneLine(request.Description, MaxDescription, "/description", faults);
    }

    private static string? UrlFault(string text, bool allowHttp)
    {
        if (text.Length > MaxUrl) return $"An address has at most {MaxUrl} characters.";
        if (text.Any(c => c <= ' ' || char.IsControl(c)) || !Uri.TryCreate(text, UriKind.Absolute, out var url)) return "This is no absolute address such as https://app.acme.example/hooks.";
        if (url.Scheme != Uri.UriSchemeHttps && !(allowHttp && url.Scheme == Uri.UriSchemeHttp)) return "The address must begin with https.";
        if (url.UserInfo.Length > 0) return "The address must not have a user or password.";
        if (url.Host.Length == 0) return "The address needs a host.";
        return url.Fragment.Length > 0 ? "The address must not have a fragment." : null;
    }
}
