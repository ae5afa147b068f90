using System.Text.Json.Serialization;
using MoxApi.OpenApi.Errors;

namespace MoxApi.OpenApi.Messages;

/// <summary>Messages to send, each for itself: what is wrong with one does not stop the others.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record SendMessageBatchRequest
{
    /// <summary>1 to 500 messages.</summary>
    public required IReadOnlyList<SendMessageRequest> Messages { get; init; }
}

/// <summary>What became of the messages of a batch.</summary>
public sealed record SendMessageBatchResponse
{
    /// <summary>A result for each message, in their order.</summary>
    public required IReadOnlyList<SendMessageResult> Results { get; init; }
}

/// <summary>What became of a message of a batch: what the message alone would have been answered.</summary>
public sealed record SendMessageResult
{
    /// <summary>The HTTP status: 202 where the message was accepted.</summary>
    /// <example>202</example>
    public required int Status { get; init; }

    /// <summary>The accepted message; absent where it was refused.</summary>
    public SendMessageResponse? Message { get; init; }

    /// <summary>Why the message was refused; absent where it was accepted. Pointers are into the batch, such as <c>/messages/3/to/0</c>.</summary>
    public Problem? Problem { get; init; }
}
