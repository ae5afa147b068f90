using System.Text.Json.Serialization;
using MoxApi.OpenApi.Events;

namespace MoxApi.OpenApi.Webhooks;

/// <summary>What is to change about a webhook. What is left out stays.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record UpdateWebhookRequest
{
    /// <summary>Where events are posted from now on, those that wait included; as when a webhook is added.</summary>
    /// <example>https://app.acme.example/hooks/mail</example>
    public string? Url { get; init; }

    /// <summary>The events wanted from now on. Empty, all but <c>message.accepted</c>.</summary>
    /// <example>["message.delivered", "message.failed", "message.delayed"]</example>
    public IReadOnlyList<EventType>? Events { get; init; }

    /// <summary>What the webhook is for, at most 256 characters; empty for nothing.</summary>
    /// <example>Order status</example>
    public string? Description { get; init; }

    /// <summary>
    /// Whether addresses that are not public may be posted to from now on. True needs the scope <c>admin</c>. False takes the leave back, of an <c>https</c> address.
    /// </summary>
    /// <example>false</example>
    public bool? AllowPrivate { get; init; }

    /// <summary>
    /// True disables the webhook: events are no longer posted, those that wait end as failed, and those that happen meanwhile are not kept for it. False enables it
    /// again, without a pause; what failed can be replayed then.
    /// </summary>
    /// <example>false</example>
    public bool? Disabled { get; init; }
}
