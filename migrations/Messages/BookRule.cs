namespace MoxApi.Migrations.Messages;

/// <summary>What a rule of the books is about, and its rows are found by.</summary>
internal enum BookSubject
{
    Recipient,
    Message,
    WebhookDelivery,
}

/// <summary>Something that must not be.</summary>
/// <param name="Subject">What it is about.</param>
/// <param name="Fault">Its name, to follow a number.</param>
/// <param name="From">The rows to look at.</param>
/// <param name="Key">The subject's id in these rows.</param>
/// <param name="Broken">When a row breaks the rule.</param>
internal sealed record BookRule(BookSubject Subject, string Fault, string From, string Key, string Broken)
{
    // 0 to 3 are the values of RecipientStatus that are not finished.
    public static IReadOnlyList<BookRule> All { get; } =
    [
        new(BookSubject.Recipient, "unfinished without a queue row", "recipient r", "r.id",
            "r.status IN (0, 1, 2, 3) AND NOT EXISTS (SELECT FROM queue q WHERE q.recipient_id = r.id)"),
        new(BookSubject.Recipient, "finished with a queue row", "queue q JOIN recipient r ON r.id = q.recipient_id", "q.recipient_id", "r.status NOT IN (0, 1, 2, 3)"),
        new(BookSubject.Recipient, "queue rows without a recipient", "queue q", "q.recipient_id", "NOT EXISTS (SELECT FROM recipient r WHERE r.id = q.recipient_id)"),
        new(BookSubject.Recipient, "recipients whose events do not match their sequence", "recipient r", "r.id",
            "r.event_sequence <> (SELECT count(*) FROM event e WHERE e.message_id = r.message_id AND e.recipient_id = r.id)"),
        new(BookSubject.Recipient, "recipients whose attempts do not match their count", "recipient r", "r.id",
            "r.attempts <> (SELECT count(*) FROM attempt a WHERE a.recipient_id = r.id)"),
        new(BookSubject.Message, "messages without their body", "message m", "m.id",
            "m.content_deleted_at IS NULL AND NOT EXISTS (SELECT FROM body b WHERE b.id = m.body_id)"),
        new(BookSubject.WebhookDelivery, "pending webhook deliveries without a queue row", "webhook_delivery d", "d.id",
            "d.status = 0 AND NOT EXISTS (SELECT FROM webhook_queue q WHERE q.delivery_id = d.id)"),
        new(BookSubject.WebhookDelivery, "finished webhook deliveries with a queue row", "webhook_queue q JOIN webhook_delivery d ON d.id = q.delivery_id", "q.delivery_id",
            "d.status <> 0"),
    ];
}
