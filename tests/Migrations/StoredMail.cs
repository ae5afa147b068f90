using System.Text;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Webhooks;
using MoxApi.Tests.Hosting;
using Npgsql;
using Account = MoxApi.Migrations.Accounts.Account;

namespace MoxApi.Tests.Migrations;

/// <summary>Puts mail of any age and fate into a database, as delivery would have left it behind.</summary>
internal sealed class StoredMail(Installation installation)
{
    private long id = 1_000_000;

    public NpgsqlDataSource Database => installation.Database;

    /// <summary>Another account; returns its id.</summary>
    public async Task<long> AccountAsync(string name, Action<Account>? change = null)
    {
        await using var context = installation.Open();
        var account = new Account { Name = name, CreatedAt = DateTimeOffset.UnixEpoch };
        change?.Invoke(account);
        context.Add(account);
        await context.SaveChangesAsync();
        return account.Id;
    }

    /// <summary>An endpoint of an account; returns its id.</summary>
    public async Task<long> EndpointAsync(long account, Action<WebhookEndpoint>? change = null)
    {
        await using var context = installation.Open();
        var endpoint = new WebhookEndpoint
        {
            AccountId = account,
            Url = "https://app.example/hook",
            Events = [],
            SealedSecret = [1],
            SealId = Guid.NewGuid(),
            CreatedAt = DateTimeOffset.UnixEpoch,
        };
        change?.Invoke(endpoint);
        context.Add(endpoint);
        await context.SaveChangesAsync();
        return endpoint.Id;
    }

    /// <summary>A delivery of an event; returns its id.</summary>
    public async Task<long> DeliveryAsync(long endpoint, long eventId, DateTimeOffset createdAt, WebhookDeliveryStatus status, DateTimeOffset? lastAttemptAt = null)
    {
        await using var context = installation.Open();
        var delivery = new WebhookDelivery { EndpointId = endpoint, EventId = eventId, Status = status, CreatedAt = createdAt, LastAttemptAt = lastAttemptAt };
        context.Add(delivery);
        await context.SaveChangesAsync();
        if (status == WebhookDeliveryStatus.Pending) context.Add(new WebhookQueueRow { DeliveryId = delivery.Id, EndpointId = endpoint, DueAt = createdAt });
        await context.SaveChangesAsync();
        return delivery.Id;
    }

    /// <summary>
    /// A message accepted at a time, with a recipient for each status. One that is on the way has its first attempt before it, or behind it where it is
    /// delayed; one that is finished has its last event at the second time.
    /// </summary>
    public async Task<long> MessageAsync(
        long account, DateTimeOffset acceptedAt, DateTimeOffset? lastEventAt = null, FailureClass failure = FailureClass.MailboxNotFound, int bodySize = 100,
        params RecipientStatus[] statuses)
    {
        await using var context = installation.Open();
        var message = id++;
        context.Add(new Message
        {
            Id = message,
            AccountId = account,
            MessageIdHeader = $"<{message}@acme.example>",
            FromHeader = "receipts@acme.example",
            Subject = "Hello",
            Size = 20 + bodySize,
            Header = Encoding.ASCII.GetBytes("Subject: Hello\r\n\r\n"),
            BodyId = id,
            Tags = [],
            Metadata = "{}",
            AcceptedAt = acceptedAt,
        });
        AddBody(context, id++, bodySize);
        foreach (var status in statuses) AddRecipient(context, account, message, acceptedAt, lastEventAt ?? acceptedAt, status, failure);
        await context.SaveChangesAsync();
        return message;
    }

    /// <summary>A message received by accounts, which share its body; returns its ids.</summary>
    public async Task<List<long>> ReceivedAsync(DateTimeOffset receivedAt, params long[] accounts)
    {
        await using var context = installation.Open();
        var body = id++;
        AddBody(context, body, 100);
        var messages = new List<long>();
        foreach (var account in accounts)
        {
            var mailbox = new MoxApi.Migrations.Mailboxes.Mailbox { AccountId = account, Name = $"Box {id}", UidNext = 2 };
            context.Add(mailbox);
            context.Add(new Message
            {
                Id = id,
                AccountId = account,
                Direction = MessageDirection.Incoming,
                MessageIdHeader = "",
                FromHeader = "",
                Subject = "",
                Size = 120,
                Header = Encoding.ASCII.GetBytes("Subject: Hello\r\n\r\n"),
                BodyId = body,
                Tags = [],
                Metadata = "{}",
                AcceptedAt = receivedAt,
            });
            await context.SaveChangesAsync();
            context.Add(new MoxApi.Migrations.Mailboxes.MailboxMessage
            {
                MailboxId = mailbox.Id,
                Uid = 1,
                MessageId = id,
                AccountId = account,
                ReceivedAt = receivedAt,
                ReversePath = "",
                ForwardPath = "",
                RemoteAddress = "",
                Helo = "",
            });
            messages.Add(id++);
            await context.SaveChangesAsync();
        }
        return messages;
    }

    /// <summary>An event about no recipient; returns its id.</summary>
    public async Task<long> EventAsync(long account, EventType type, DateTimeOffset at, long? message = null)
    {
        await using var context = installation.Open();
        context.Add(new Event { Id = id, AccountId = account, Type = type, At = at, MessageId = message });
        await context.SaveChangesAsync();
        return id++;
    }

    public async Task<long> CountAsync(string statement)
    {
        await using var command = Database.CreateCommand(statement);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    public async Task ExecuteAsync(string statement)
    {
        await using var command = Database.CreateCommand(statement);
        await command.ExecuteNonQueryAsync();
    }

    private static void AddBody(MoxApi.Migrations.MailDbContext context, long body, int size)
    {
        var inline = size <= Body.InlineLimit;
        context.Add(new Body { Id = body, Size = size, Inline = inline ? new byte[size] : null });
        if (!inline) context.Add(new BodyChunk { BodyId = body, Number = 0, Bytes = new byte[size] });
    }

    private void AddRecipient(
        MoxApi.Migrations.MailDbContext context, long account, long message, DateTimeOffset acceptedAt, DateTimeOffset lastEventAt, RecipientStatus status, FailureClass failure)
    {
        var recipient = id++;
        var type = status switch
        {
            RecipientStatus.Delivered => EventType.MessageDelivered,
            RecipientStatus.Failed => EventType.MessageFailed,
            RecipientStatus.Delayed => EventType.MessageDelayed,
            RecipientStatus.Suppressed => EventType.MessageSuppressed,
            RecipientStatus.Canceled => EventType.MessageCanceled,
            RecipientStatus.Held => EventType.MessageHeld,
            _ => (EventType?)null,
        };
        var tried = status is RecipientStatus.Delivered or RecipientStatus.Failed or RecipientStatus.Delayed;
        context.Add(new Recipient
        {
            Id = recipient,
            MessageId = message,
            AccountId = account,
            LaneId = 1,
            Address = $"u{recipient}@example.net",
            BaseAddress = $"u{recipient}@example.net",
            AcceptedAt = acceptedAt,
            Status = status,
            EventSequence = type is null ? 1 : 2,
            Attempts = tried ? 1 : 0,
        });
        context.Add(new Event { Id = id++, AccountId = account, Type = EventType.MessageAccepted, At = acceptedAt, MessageId = message, RecipientId = recipient, Sequence = 1 });
        if (tried)
        {
            context.Add(new Attempt
            {
                Id = id,
                MessageId = message,
                RecipientId = recipient,
                Number = 1,
                At = lastEventAt,
                Reply = "Ok",
                Conversation = """[{"step":"connect","code":220}]""",
                FailureClass = status == RecipientStatus.Delivered ? FailureClass.None : failure,
            });
        }
        if (type is { } happened)
        {
            context.Add(new Event
            {
                Id = id + 1,
                AccountId = account,
                Type = happened,
                At = lastEventAt,
                MessageId = message,
                RecipientId = recipient,
                Sequence = 2,
                AttemptId = tried ? id : null,
            });
        }
        id += 2;
        if (status is RecipientStatus.Queued or RecipientStatus.Scheduled or RecipientStatus.Held or RecipientStatus.Delayed)
            context.Add(new QueueRow { RecipientId = recipient, LaneId = 1, DueAt = lastEventAt, ExpiresAt = lastEventAt, Held = status == RecipientStatus.Held, Attempts = tried ? 1 : 0 });
    }
}
