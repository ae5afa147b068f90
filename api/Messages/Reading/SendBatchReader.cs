using System.IO.Pipelines;
using System.Runtime.InteropServices;
using System.Text.Json;
using MoxApi.Api.Json;
using MoxApi.Api.Problems;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Messages;

namespace MoxApi.Api.Messages.Reading;

/// <summary>The messages of a batch, each to be bound when its turn comes: its faults are its own, and its texts are not kept longer than it takes.</summary>
internal sealed class SendBatch(SendBodyScanner scanner, JsonDocument document) : IDisposable
{
    private readonly List<JsonElement> _messages = [.. (SendBatchReader.MessagesOf(document.RootElement) ?? []).Take(SendBodyShape.MaxMessages)];

    /// <summary>How many there are; of a batch with faults, so many as can be looked at.</summary>
    public int Count => _messages.Count;

    /// <summary>Binds a message; what does not fit the contract is added to <paramref name="faults"/>. Not for several threads at a time.</summary>
    /// <exception cref="RefusalException">The message is too large.</exception>
    public SendRequest Bind(int index, Faults faults)
    {
        if (JsonMarshal.GetRawUtf8Value(_messages[index]).Length > SendBodyShape.Message.MaxRest)
            throw new RefusalException(Refusal.TooLarge($"Without the content of its attachments a message has at most {SendBodyShape.Message.MaxRest / 1024 / 1024} MiB."));
        return SendRequestReader.Bind(_messages[index], scanner.FilesOf(index), faults);
    }

    public void Dispose()
    {
        document.Dispose();
        scanner.Dispose();
    }
}

/// <summary>Reads the JSON of a batch as it arrives, and whole: nothing is sent of a batch that is no JSON in the end.</summary>
internal static class SendBatchReader
{
    /// <summary>The member with the messages.</summary>
    public const string List = "messages";

    /// <summary>Reads a batch; what does not fit around the messages is added to <paramref name="faults"/>, and nothing of it must be sent then.</summary>
    /// <param name="body">The body.</param>
    /// <param name="spool">Where the files go. They can be read while it lives.</param>
    /// <param name="faults">Collects the faults of what is around the messages.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="RefusalException">The body is too large or no JSON, or the files cannot be kept.</exception>
    public static async Task<SendBatch> ReadAsync(PipeReader body, AttachmentSpool spool, Faults faults, CancellationToken cancellationToken)
    {
        var scanner = new SendBodyScanner(spool, SendBodyShape.Batch);
        JsonDocument? document = null;
        try
        {
            await scanner.TakeAllAsync(body, cancellationToken);
            document = JsonBody.Parse(scanner.Rest, scanner.Position);
            Check(document.RootElement, faults);
            return new SendBatch(scanner, document);
        }
        catch
        {
            document?.Dispose();
            scanner.Dispose();
            throw;
        }
    }

    /// <summary>The messages; null where there is no list of them.</summary>
    internal static IEnumerable<JsonElement>? MessagesOf(JsonElement batch)
    {
        if (batch.ValueKind != JsonValueKind.Object) return null;
        foreach (var member in batch.EnumerateObject())
        {
            // A name with half a surrogate pair cannot be compared; TryGetProperty would try.
            if (EscapedText.Fault(JsonMarshal.GetRawUtf8PropertyName(member)) is not null || !member.NameEquals(List)) continue;
            return member.Value.ValueKind == JsonValueKind.Array ? member.Value.EnumerateArray() : null;
        }
        return null;
    }

    private static void Check(JsonElement batch, Faults faults)
    {
        RequestBinder.CheckAround<SendMessageBatchRequest>(batch, faults);
        var count = MessagesOf(batch)?.Count();
        if (count == 0) faults.Add("/messages", FaultCodes.Required, "A batch needs a message.");
        if (count > SendBodyShape.MaxMessages) faults.Add("/messages", FaultCodes.TooMany, $"A batch has at most {SendBodyShape.MaxMessages} messages.");
    }
}
