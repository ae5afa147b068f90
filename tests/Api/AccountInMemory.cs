using MoxApi.Api.Access;
using MoxApi.Api.Json;
using MoxApi.Api.Lists;
using MoxApi.Api.Messages;
using MoxApi.Api.Messages.Searching;
using MoxApi.Api.Problems;
using MoxApi.Api.Received;
using MoxApi.Api.Webhooks;
using MoxApi.Mail.Addresses;
using MoxApi.OpenApi.Events;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Messages;
using MoxApi.OpenApi.Received;
using MoxApi.OpenApi.Webhooks;

namespace MoxApi.Tests.Api;

/// <summary>What the endpoints stand on, without a database.</summary>
internal sealed class AccountInMemory : IMessages, IScheduledMessages, IWebhooks, IWebhookDeliveries, IReceivedMessages
{
    public static readonly DateTimeOffset Time = new(2026, 11, 22, 11, 0, 0, 123, TimeSpan.FromHours(1));

    /// <summary>A message of this subject finds a fault of the program.</summary>
    public const string Broken = "broken";

    /// <summary>A message of this subject cannot be taken just now.</summary>
    public const string Away = "away";

    /// <summary>What the next send does instead of accepting.</summary>
    public Exception? NextSend { get; set; }

    public List<(OutgoingMessage Draft, string? Key, List<byte[]> Files)> Sent { get; } = [];

    public List<Webhook> Webhooks { get; } = [];

    public async Task<SendMessageResponse> SendAsync(Caller caller, OutgoingMessage message, string? idempotencyKey, CancellationToken cancellationToken)
    {
        if (NextSend is { } fault)
        {
            NextSend = null;
            throw fault;
        }
        var files = new List<byte[]>();
        foreach (var attachment in message.Attachments)
        {
            var copy = new MemoryStream();
            await using var file = attachment.Content.OpenRead();
            await file.CopyToAsync(copy, cancellationToken);
            files.Add(copy.ToArray());
        }
        lock (Sent) Sent.Add((message, idempotencyKey, files));
        if (message.Subject == Broken) throw new InvalidOperationException("secret detail");
        if (message.Subject == Away) throw new RefusalException(Refusal.Unavailable);
        return new SendMessageResponse
        {
            Id = "msg_1",
            MessageId = message.MessageId ?? "<made@acme.example>",
            AcceptedAt = Time,
            Recipients = [.. message.Recipients.Select((r, i) => new AcceptedRecipient { Id = $"rcp_{i}", Address = r.Address.ToString(), Status = RecipientStatus.Queued })],
        };
    }

    public Task CheckSenderAsync(Caller caller, Mailbox? from, Faults faults, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>What the last list asked for.</summary>
    public MessageFilter? LastFilter { get; private set; }

    Task<Page<MessageSummary>> IMessages.ListAsync(Caller caller, MessageFilter filter, PageRequest page, CancellationToken cancellationToken)
    {
        LastFilter = filter;
        return Task.FromResult(new Page<MessageSummary> { Data = [], HasMore = false, Total = filter.Count ? 10_000 : null, TotalIsLowerBound = filter.Count ? true : null });
    }

    Task<MessageDetail?> IMessages.FindAsync(Caller caller, string id, CancellationToken cancellationToken) => Task.FromResult(id != "msg_1" ? null : new MessageDetail
    {
        Id = id,
        AccountId = "acc_1",
        MessageId = "<m@acme.example>",
        Direction = MessageDirection.Outgoing,
        From = "Acme <a@acme.example>",
        Subject = "Ünïcode ☺ & <b>",
        Size = 1234,
        Tags = [],
        Metadata = new Dictionary<string, string> { ["OrderId"] = "42" },
        AcceptedAt = Time,
        Recipients = [new() { Id = "rcp_1", Address = "jane@example.org", Kind = RecipientKind.To, Status = RecipientStatus.Queued, Attempts = 0 }],
    });

    public Task<Page<Event>?> EventsAsync(Caller caller, string id, PageRequest page, CancellationToken cancellationToken) =>
        Task.FromResult(id == "msg_1" ? new Page<Event> { Data = [], HasMore = false } : null);

    public Task<Page<DeliveryAttempt>?> AttemptsAsync(Caller caller, string id, string recipientId, PageRequest page, CancellationToken cancellationToken) =>
        Task.FromResult(id == "msg_1" && recipientId == "rcp_1" ? new Page<DeliveryAttempt> { Data = [], HasMore = false } : null);

    /// <summary>What was done to the message that there is: <c>cancel</c>, or its new time.</summary>
    public List<string> Changes { get; } = [];

    public Task<bool> CancelAsync(Caller caller, string id, CancellationToken cancellationToken)
    {
        if (id == "msg_1") Changes.Add("cancel");
        return Task.FromResult(id == "msg_1");
    }

    public Task<bool> RescheduleAsync(Caller caller, string id, DateTimeOffset sendAt, CancellationToken cancellationToken)
    {
        if (id == "msg_1") Changes.Add(MoxApi.OpenApi.WireTime.Write(sendAt));
        return Task.FromResult(id == "msg_1");
    }

    Task<RawMessage?> IMessages.RawAsync(Caller caller, string id, CancellationToken cancellationToken) => Task.FromResult(Raw(id));

    Task<RawMessage?> IReceivedMessages.RawAsync(Caller caller, string id, CancellationToken cancellationToken) => Task.FromResult(Raw(id));

    public Task<CreatedWebhook> CreateAsync(Caller caller, CreateWebhookRequest request, CancellationToken cancellationToken)
    {
        var made = new CreatedWebhook
        {
            Id = $"whk_{Webhooks.Count + 1}",
            Url = request.Url,
            Events = request.Events ?? [],
            Description = request.Description,
            Format = request.Format ?? WebhookFormat.V1,
            AllowPrivate = request.AllowPrivate ?? false,
            CreatedAt = Time,
            Secret = "whsec_AAAA",
        };
        Webhooks.Add(new Webhook { Id = made.Id, Url = made.Url, Events = made.Events, Format = made.Format, AllowPrivate = made.AllowPrivate, CreatedAt = Time });
        return Task.FromResult(made);
    }

    Task<Page<Webhook>> IWebhooks.ListAsync(Caller caller, PageRequest page, CancellationToken cancellationToken) =>
        Task.FromResult(page.ToPage(Webhooks, webhook => webhook.Id, webhook => webhook));

    Task<Webhook?> IWebhooks.FindAsync(Caller caller, string id, CancellationToken cancellationToken) => Task.FromResult(Webhooks.Find(w => w.Id == id));

    public Task<bool> DeleteAsync(Caller caller, string id, CancellationToken cancellationToken) => Task.FromResult(Webhooks.RemoveAll(w => w.Id == id) > 0);

    public Task<Webhook?> UpdateAsync(Caller caller, string id, UpdateWebhookRequest request, Webhook? seen, CancellationToken cancellationToken)
    {
        var at = Webhooks.FindIndex(w => w.Id == id);
        if (at < 0) return Task.FromResult<Webhook?>(null);
        var webhook = Webhooks[at];
        Webhooks[at] = webhook with
        {
            Url = request.Url ?? webhook.Url,
            Events = request.Events ?? webhook.Events,
            Description = request.Description ?? webhook.Description,
            AllowPrivate = request.AllowPrivate ?? webhook.AllowPrivate,
            DisabledAt = request.Disabled is { } disabled ? (disabled ? Time : null) : webhook.DisabledAt,
        };
        return Task.FromResult<Webhook?>(Webhooks[at]);
    }

    public Task<RotatedWebhookSecret?> RotateSecretAsync(Caller caller, string id, TimeSpan overlap, CancellationToken cancellationToken) =>
        Task.FromResult(Has(id) ? new RotatedWebhookSecret { Secret = "whsec_BBBB", PreviousSecretUntil = Time + overlap } : null);

    public Task<WebhookDelivery?> TestAsync(Caller caller, string id, CancellationToken cancellationToken) => Task.FromResult<WebhookDelivery?>(Has(id) ? Delivery : null);

    /// <summary>What the last list of deliveries was asked for.</summary>
    public DeliveryFilters? Filters { get; private set; }

    Task<Page<WebhookDelivery>?> IWebhookDeliveries.ListAsync(
        Caller caller, string webhook, DeliveryFilters filters, PageRequest page, CancellationToken cancellationToken)
    {
        Filters = filters;
        return Task.FromResult(Has(webhook) ? new Page<WebhookDelivery> { Data = [Delivery], HasMore = false } : null);
    }

    Task<WebhookDeliveryDetail?> IWebhookDeliveries.FindAsync(Caller caller, string webhook, string id, CancellationToken cancellationToken) =>
        Task.FromResult(Has(webhook) && id == Delivery.Id ? Delivery : null);

    public Task<WebhookDelivery?> ReplayAsync(Caller caller, string webhook, string id, CancellationToken cancellationToken) =>
        Task.FromResult<WebhookDelivery?>(Has(webhook) && id == Delivery.Id ? Delivery : null);

    public Task<ReplayedWebhook?> ReplayFailedAsync(Caller caller, string webhook, DateTimeOffset since, CancellationToken cancellationToken) =>
        Task.FromResult(Has(webhook) ? new ReplayedWebhook { Count = 42 } : null);

    Task<Page<ReceivedMessage>> IReceivedMessages.ListAsync(Caller caller, PageRequest page, CancellationToken cancellationToken) =>
        Task.FromResult(new Page<ReceivedMessage> { Data = [], HasMore = false });

    private static WebhookDeliveryDetail Delivery { get; } = new()
    {
        Id = "whd_1",
        EventId = "evt_1",
        Status = WebhookDeliveryStatus.Failed,
        Attempts = 11,
        CreatedAt = Time,
        Response = new() { Status = 500, Headers = new Dictionary<string, string> { ["X-Trace"] = "1" }, Body = "no", Truncated = false },
    };

    private bool Has(string webhook) => Webhooks.Exists(w => w.Id == webhook);

    private static RawMessage? Raw(string id) => id != "msg_1" ? null : new RawMessage(id, 7, (to, token) => to.WriteAsync("A: b\r\n\n"u8.ToArray(), token).AsTask());
}
