using MoxApi.Api.Json;
using MoxApi.Api.Messages.Reading;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Messages;

namespace MoxApi.Api.Messages.Rules;

/// <summary>The rules for a message's contents: makes a message of a request, and names everything that is not in order.</summary>
internal static class MessageRules
{
    public const int MaxRecipients = 1000;
    public const int MaxReplyTo = 20;
    public const int MaxSubject = 998; // RFC 5322 §2.1.1: no line is longer, so programs that unfold subjects are used to it.
    public const int MaxReferences = 100;

    private static readonly DateTimeOffset EarliestDate = DateTimeOffset.UnixEpoch;

    /// <summary>Makes the message; with faults added, nothing must be done with it.</summary>
    public static OutgoingMessage Apply(SendRequest send, DateTimeOffset now, Faults faults)
    {
        var (request, files) = send;
        var message = new OutgoingMessage
        {
            From = AddressRules.Optional(request.From, "/from", faults),
            To = AddressRules.All(request.To, "/to", faults),
            Cc = AddressRules.All(request.Cc, "/cc", faults),
            Bcc = AddressRules.All(request.Bcc, "/bcc", faults),
            ReplyTo = AddressRules.All(request.ReplyTo, "/replyTo", faults),
            Subject = request.Subject,
            Text = request.Text,
            Html = request.Html,
            Attachments = AttachmentRules.Apply(request.Attachments ?? [], files, faults),
            Headers = request.Headers ?? [],
            Tags = request.Tags ?? [],
            Metadata = request.Metadata ?? new Dictionary<string, string>(),
            References = request.References ?? [],
            InReplyTo = request.InReplyTo,
            MessageId = request.MessageId,
            Date = request.Date,
            SendAt = request.SendAt?.ToUniversalTime(),
            RequireTls = request.RequireTls ?? RequireTls.Default,
            ReturnPath = request.ReturnPath,
        };
        CheckRecipients(request, faults);
        CheckContent(request, faults);
        ScheduleRules.Check(request.SendAt, now, faults);
        HeaderRules.Check(message.Headers, faults);
        LabelRules.Check(message, faults);
        CheckIds(message, faults);
        return message;
    }

    private static void CheckRecipients(SendMessageRequest request, Faults faults)
    {
        var count = (request.To?.Count ?? 0) + (request.Cc?.Count ?? 0) + (request.Bcc?.Count ?? 0);
        if (count == 0) faults.Add("/to", FaultCodes.Required, "A message needs a recipient in to, cc or bcc.");
        if (count > MaxRecipients) faults.Add("/to", FaultCodes.TooMany, $"To, cc and bcc have at most {MaxRecipients} addresses together.");
        if (request.ReplyTo?.Count > MaxReplyTo) faults.Add("/replyTo", FaultCodes.TooMany, $"There are at most {MaxReplyTo} addresses for answers.");
    }

    private static void CheckContent(SendMessageRequest request, Faults faults)
    {
        if (request.Text is null && request.Html is null) faults.Add("/text", FaultCodes.Required, "A message needs text or html.");
        TextRules.OneLine(request.Subject, MaxSubject, "/subject", faults);
        if (request.SaveSent == true) faults.Add("/saveSent", FaultCodes.InvalidValue, "To keep a copy in the mailbox is not available yet.");
        if (request.Date < EarliestDate) faults.Add("/date", FaultCodes.InvalidValue, "A message has a date of 1970 or later.");
    }

    private static void CheckIds(OutgoingMessage message, Faults faults)
    {
        TextRules.MessageId(message.MessageId, "/messageId", faults);
        TextRules.MessageId(message.InReplyTo, "/inReplyTo", faults);
        if (message.References.Count > MaxReferences) faults.Add("/references", FaultCodes.TooMany, $"There are at most {MaxReferences} references.");
        for (var i = 0; i < message.References.Count; i++) TextRules.MessageId(message.References[i], JsonPointer.Item("/references", i), faults);
    }
}
