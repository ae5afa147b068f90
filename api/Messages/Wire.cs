using System.Text.Json;
using System.Text.Json.Serialization;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Messages;
using MoxApi.OpenApi.Messages;
using AttemptOutcome = MoxApi.OpenApi.Messages.AttemptOutcome;
using MessageDirection = MoxApi.OpenApi.Messages.MessageDirection;
using RecipientKind = MoxApi.OpenApi.Messages.RecipientKind;
using RecipientStatus = MoxApi.OpenApi.Messages.RecipientStatus;

namespace MoxApi.Api.Messages;

/// <summary>Stored messages in the form of the contract.</summary>
internal static class Wire
{
    /// <summary>A status. The names are the same on both sides, the numbers are not.</summary>
    public static RecipientStatus Of(Migrations.Messages.RecipientStatus status) => Enum.Parse<RecipientStatus>(status.ToString());

    /// <summary>The stored status; there is none for <see cref="RecipientStatus.Delivering"/>.</summary>
    public static Migrations.Messages.RecipientStatus Stored(RecipientStatus status) => Enum.Parse<Migrations.Messages.RecipientStatus>(status.ToString());

    /// <summary>The stored kind.</summary>
    public static Migrations.Messages.RecipientKind Stored(RecipientKind kind) => Enum.Parse<Migrations.Messages.RecipientKind>(kind.ToString());

    /// <summary>A message as a list shows it.</summary>
    public static MessageSummary Summary(Message message, PublicIds ids) => Detail(message, [], message.AcceptedAt, ids);

    /// <summary>A message with its recipients, their latest attempts, and whether a worker has them in hand.</summary>
    public static MessageDetail Detail(Message message, IEnumerable<(Recipient Row, bool Leased, Attempt? Last)> recipients, DateTimeOffset now, PublicIds ids) => new()
    {
        Id = ids.Make(PublicIdKind.Message, message.Id),
        AccountId = ids.Make(PublicIdKind.Account, message.AccountId),
        MessageId = message.MessageIdHeader,
        Direction = (MessageDirection)message.Direction,
        From = message.FromHeader,
        Subject = message.Subject,
        Size = message.Size,
        Tags = message.Tags,
        Metadata = JsonSerializer.Deserialize(message.Metadata, StoredJson.Default.DictionaryStringString)!,
        AcceptedAt = message.AcceptedAt,
        SendAt = message.SendAt,
        Test = message.IsTest ? true : null,
        Recipients = [.. recipients.Select(r => Of(r.Row, r.Leased, r.Last, now, ids))],
    };

    private static MessageRecipient Of(Recipient row, bool leased, Attempt? last, DateTimeOffset now, PublicIds ids) => new()
    {
        Id = ids.Make(PublicIdKind.Recipient, row.Id),
        Address = row.Address,
        Kind = Enum.Parse<RecipientKind>(row.Kind.ToString()),
        Status = leased ? RecipientStatus.Delivering : IsDue(row, now) ? RecipientStatus.Queued : Of(row.Status),
        Attempts = row.Attempts,
        NextAttemptAt = row.NextAttemptAt,
        LastAttempt = last is null ? null : Of(last),
    };

    // When its time has come it waits for a worker as others do, though nothing was written down.
    private static bool IsDue(Recipient row, DateTimeOffset now) => row.Status == Migrations.Messages.RecipientStatus.Scheduled && row.NextAttemptAt <= now;

    /// <summary>An attempt with its conversation.</summary>
    public static DeliveryAttempt Of(Attempt attempt) => new()
    {
        Number = attempt.Number,
        At = attempt.At,
        DurationMs = attempt.DurationMs,
        Outcome = Enum.Parse<AttemptOutcome>(attempt.Outcome.ToString()),
        RemoteHost = attempt.RemoteHost,
        RemoteAddress = attempt.RemoteAddress,
        Tls = attempt is { TlsVersion: { } version, TlsCipher: { } cipher }
            ? new AttemptTls { Version = version, Cipher = cipher, Verified = attempt.TlsVerified == "pkix" ? TlsVerification.Pkix : TlsVerification.None }
            : null,
        SmtpCode = attempt.SmtpCode > 0 ? attempt.SmtpCode : null,
        EnhancedCode = attempt.EnhancedCode,
        Reply = attempt.Reply,
        FailureClass = MoxApi.Webhooks.Events.Stored.ToWire(attempt.FailureClass),
        Conversation = [.. JsonSerializer.Deserialize(attempt.Conversation, StoredJson.Default.ListStoredStep)!.Select(s => new ConversationStep
        {
            Step = s.Step, Code = s.Code > 0 ? s.Code : null, Reply = s.Reply, Ms = s.Ms, Address = s.Address,
        })],
    };
}

/// <summary>A step of a conversation as it is stored.</summary>
internal sealed record StoredStep(string Step, int Code, string Reply, int Ms, string? Address = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(List<StoredStep>))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
internal sealed partial class StoredJson : JsonSerializerContext;
