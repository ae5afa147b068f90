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
    public const int MaxOverlapHours = 168;

    private const int DefaultOverlapHours = 24;

    public static void Check(CreateWebhookRequest request, bool allowHttp, Faults faults) => Check(request.Url, request.Description, allowHttp, faults);

    public static void Check(UpdateWebhookRequest request, bool allowHttp, Faults faults) => Check(request.Url, request.Description, allowHttp, faults);

    /// <summary>For how long an old secret signs beside a new one.</summary>
    public static TimeSpan Overlap(RotateWebhookSecretRequest? request, Faults faults)
    {
        var hours = request?.OverlapHours ?? DefaultOverlapHours;
        if (hours is < 0 or > MaxOverlapHours) faults.Add("/overlapHours", FaultCodes.InvalidValue, $"Secrets overlap for 0 to {MaxOverlapHours} hours.");
        return TimeSpan.FromHours(hours);
    }

    /// <summary>What is wrong with a webhook's address, as a sentence for people; null where nothing is.</summary>
    /// <param name="text">As it was given.</param>
    /// <param name="allowHttp">Whether it may be without TLS.</param>
    public static string? UrlFault(string text, bool allowHttp)
    {
        if (text.Any(c => c <= ' ' || c == '\\' || char.IsControl(c)) || !Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Host.Length == 0)
            return "This is no absolute address such as https://app.acme.example/hooks.";
        if (url.Scheme != Uri.UriSchemeHttps && !(allowHttp && url.Scheme == Uri.UriSchemeHttp)) return "The address must begin with https.";
        // They would be stored and shown in clear; the signature tells the receiver who posts.
        if (url.UserInfo.Length > 0) return "The address must not have a user or password: receivers know us by the signature.";
        return url.Fragment.Length > 0 ? "The address must not have a fragment (#…): it would not be sent." : null;
    }

    private static void Check(string? url, string? description, bool allowHttp, Faults faults)
    {
        if (url is { Length: > MaxUrl }) faults.Add("/url", FaultCodes.TooLong, $"An address has at most {MaxUrl} characters.");
        else if (url is not null && UrlFault(url, allowHttp) is { } fault) faults.Add("/url", FaultCodes.InvalidUrl, fault);
        TextRules.OneLine(description, MaxDescription, "/description", faults);
    }
}
