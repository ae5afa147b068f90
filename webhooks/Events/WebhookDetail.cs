using System.Text.Json;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Events;

namespace MoxApi.Webhooks.Events;

/// <summary>What events about a webhook store as their detail: the endpoint's stored id, its URL then, and why where there is a reason.</summary>
internal static class WebhookDetail
{
    /// <summary>The detail in SQL, of the columns <c>id</c>, <c>url</c> and <c>reason</c>, which may be null.</summary>
    public const string Sql = "json_build_object('webhook', json_build_object('id', id, 'url', url, 'reason', reason))";

    /// <summary>The public object of a stored detail.</summary>
    public static EventWebhook Read(string detail, PublicIds ids)
    {
        using var document = JsonDocument.Parse(detail);
        var webhook = document.RootElement.GetProperty("webhook");
        // Who receives at another endpoint must not learn of a secret that the URL may have.
        var url = new Uri(webhook.GetProperty("url").GetString()!);
        return new()
        {
            Id = ids.Make(PublicIdKind.WebhookEndpoint, webhook.GetProperty("id").GetInt64()),
            Url = $"{url.Scheme}://{url.Authority}",
            Reason = webhook.GetProperty("reason").GetString(),
        };
    }
}
