using MoxApi.Migrations.Messages;

namespace MoxApi.Tests.Migrations.Messages;

/// <summary>Messages to be stored, of account 1.</summary>
internal static class Accepts
{
    /// <summary>A message with a body of zeros, for one recipient. It takes five ids.</summary>
    public static Accept Make(long id, int length)
    {
        var message = new Message
        {
            Id = id,
            AccountId = 1,
            MessageIdHeader = $"<{id}@acme.example>",
            FromHeader = "receipts@acme.example",
            Subject = "Receipt ☺",
            Size = length,
            Header = "Subject: x\r\n\r\n"u8.ToArray(),
            BodyId = id + 1,
            Tags = ["receipt"],
            Metadata = """{"order": "42"}""",
            AcceptedAt = TimeProvider.System.GetUtcNow(),
        };
        return new(message, new BodyContent(new byte[length]), [new(Recipient(message, "jane@example.net"), id + 3)], message.AcceptedAt, message.AcceptedAt.AddDays(2), 0);
    }

    public static Recipient Recipient(Message message, string address) =>
        new() { Id = message.Id + 2, MessageId = message.Id, AccountId = message.AccountId, LaneId = 1, Address = address, BaseAddress = address };
}
