using System.Text.Json.Serialization;

namespace MoxApi.OpenApi.Events;

/// <summary>What happened. More types may be added.</summary>
public enum EventType
{
    /// <summary>The message was stored; delivery follows.</summary>
    [JsonStringEnumMemberName("message.accepted")] MessageAccepted,

    /// <summary>The message waits for its time.</summary>
    [JsonStringEnumMemberName("message.scheduled")] MessageScheduled,

    /// <summary>The recipient's server took the message.</summary>
    [JsonStringEnumMemberName("message.delivered")] MessageDelivered,

    /// <summary>An attempt failed; another follows.</summary>
    [JsonStringEnumMemberName("message.delayed")] MessageDelayed,

    /// <summary>The message will not be delivered to this recipient.</summary>
    [JsonStringEnumMemberName("message.failed")] MessageFailed,

    /// <summary>The recipient is on the suppression list and was not tried.</summary>
    [JsonStringEnumMemberName("message.suppressed")] MessageSuppressed,

    /// <summary>The message was canceled before it was delivered.</summary>
    [JsonStringEnumMemberName("message.canceled")] MessageCanceled,

    /// <summary>The message is held until someone releases it.</summary>
    [JsonStringEnumMemberName("message.held")] MessageHeld,

    /// <summary>The message was set aside for an operator.</summary>
    [JsonStringEnumMemberName("message.quarantined")] MessageQuarantined,

    /// <summary>A later server reported that it passed the message on to one that sends no reports.</summary>
    [JsonStringEnumMemberName("message.relayed")] MessageRelayed,

    /// <summary>A later server reported that it passed the message on to several recipients.</summary>
    [JsonStringEnumMemberName("message.expanded")] MessageExpanded,

    /// <summary>The recipient called the message spam.</summary>
    [JsonStringEnumMemberName("message.complained")] MessageComplained,

    /// <summary>The recipient unsubscribed.</summary>
    [JsonStringEnumMemberName("message.unsubscribed")] MessageUnsubscribed,

    /// <summary>A message came to the return path that is no report we understand.</summary>
    [JsonStringEnumMemberName("message.unrecognized")] MessageUnrecognized,

    /// <summary>A message arrived.</summary>
    [JsonStringEnumMemberName("message.received")] MessageReceived,

    /// <summary>A test of a webhook, posted to it alone when it was asked for.</summary>
    [JsonStringEnumMemberName("webhook.test")] WebhookTest,

    /// <summary>Another webhook of the account was disabled, because it kept failing or answered 410. Goes to all of the account's webhooks, whatever they chose.</summary>
    [JsonStringEnumMemberName("webhook.disabled")] WebhookDisabled,

    /// <summary>A domain's DNS records were found to be right.</summary>
    [JsonStringEnumMemberName("domain.verified")] DomainVerified,

    /// <summary>A domain's DNS records are no longer right.</summary>
    [JsonStringEnumMemberName("domain.failing")] DomainFailing,

    /// <summary>An account may not send for the time being. Goes to all of the account's webhooks, whatever they chose.</summary>
    [JsonStringEnumMemberName("account.paused")] AccountPaused,
}
