using System.ComponentModel.DataAnnotations;

namespace MoxApi.Migrations.Retention;

/// <summary>
/// The section <c>Retention</c> of the configuration: how many days things are kept where an account says nothing else. Days count from the last event of a
/// message, and from the last attempt of a webhook delivery. What is not finished is kept whatever its age. 0 is as soon as it is finished.
/// </summary>
public sealed class RetentionOptions
{
    /// <summary>Octets of messages, and the conversations of their attempts.</summary>
    [Range(0, 36_500)]
    public int ContentDays { get; init; } = 7;

    /// <summary>Messages, with their recipients, attempts and events.</summary>
    [Range(0, 36_500)]
    public int MessageDays { get; init; } = 30;

    /// <summary>Webhook deliveries, with the answers of their endpoints.</summary>
    [Range(0, 36_500)]
    public int WebhookDays { get; init; } = 7;
}
