using System.Text.Json.Serialization;
using MoxApi.OpenApi.Events;

namespace MoxApi.OpenApi.Webhooks;

/// <summary>Where events are to be posted.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CreateWebhookRequest
{
    /// <summary>An <c>https</c> address (<c>http</c> too where the installation allows it) of at most 2,048 characters, without user or password.</summary>
    /// <example>https://app.acme.example/hooks/mail</example>
    public required string Url { get; init; }

    /// <summary>The events wanted. Left out or empty, all but <c>message.accepted</c>.</summary>
    /// <example>["message.delivered", "message.failed"]</example>
    public IReadOnlyList<EventType>? Events { get; init; }

    /// <summary>What the webhook is for, at most 256 characters.</summary>
    /// <example>Order status</example>
    public string? Description { get; init; }

    /// <summary>The form of what is posted. Left out, <c>v1</c>.</summary>
    public WebhookFormat? Format { get; init; }

    /// <summary>Whether addresses that are not public may be posted to. Needs the scope <c>admin</c>.</summary>
    /// <example>false</example>
    public bool? AllowPrivate { get; init; }
}

/// <summary>The form of what is posted: <c>v1</c> is Standard Webhooks with the events of this API.</summary>
public enum WebhookFormat
{
    V1,
}
