using System.Globalization;
using MoxApi.Api.Access;
using MoxApi.Api.Json;
using MoxApi.Api.Messages.Reading;
using MoxApi.Api.Messages.Rules;
using MoxApi.Api.Problems;
using MoxApi.OpenApi.Messages;

namespace MoxApi.Api.Messages;

/// <summary>
/// Sends the messages of a batch, each for itself. Several are on their way at a time, so that both processors sign and the group commit has a group;
/// the answers are in order all the same.
/// </summary>
internal sealed class MessageBatch(IMessages messages, TimeProvider time, ILogger<MessageBatch> logger)
{
    // More would only wait for each other.
    private const int AtOnce = 16;

    // No key of a client has this character, so a batch's keys meet no others.
    private const char KeySeparator = '\x1f';

    /// <summary>Sends a batch: when this returns, what was accepted of it is committed.</summary>
    /// <param name="http">The request.</param>
    /// <param name="batch">The messages.</param>
    /// <param name="idempotencyKey">The batch's key; each message's is made of it.</param>
    /// <param name="cancellationToken">Gives up between messages.</param>
    public async Task<SendMessageBatchResponse> SendAsync(HttpContext http, SendBatch batch, string? idempotencyKey, CancellationToken cancellationToken)
    {
        var results = new SendMessageResult[batch.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };
        // Taken one after the other, a message is bound when there is room for it.
        await Parallel.ForEachAsync(Enumerable.Range(0, batch.Count).Select(number => Bind(batch, number)), options, async (item, stop) =>
        {
            var key = idempotencyKey is null ? null : string.Create(CultureInfo.InvariantCulture, $"{idempotencyKey}{KeySeparator}{item.Number}");
            results[item.Number] = await SendAsync(http, item, key, stop);
        });
        return new SendMessageBatchResponse { Results = results };
    }

    /// <summary>Names the faults of the messages of a batch that is not sent for what is around them, in the one answer that it gets.</summary>
    public async Task CheckAsync(Caller caller, SendBatch batch, Faults faults, CancellationToken cancellationToken)
    {
        // What is wrong with the list as a whole stands for what is in it.
        if (faults.All.Any(fault => fault.Pointer == "/" + SendBatchReader.List)) return;
        for (var number = 0; number < batch.Count && !faults.Full; number++)
        {
            var item = Bind(batch, number);
            if (item.Request is null) continue;
            var message = MessageRules.Apply(item.Request, time.GetUtcNow(), item.Faults);
            await messages.CheckSenderAsync(caller, message.From, item.Faults, cancellationToken);
            foreach (var fault in item.Faults.All) faults.Add(PlaceOf(number) + fault.Pointer, fault.Code, fault.Detail);
        }
    }

    private static Item Bind(SendBatch batch, int number)
    {
        var faults = new Faults();
        try
        {
            return new Item(number, batch.Bind(number, faults), faults, null);
        }
        catch (RefusalException refused)
        {
            return new Item(number, null, faults, refused.Refusal);
        }
    }

    private async Task<SendMessageResult> SendAsync(HttpContext http, Item item, string? key, CancellationToken cancellationToken)
    {
        try
        {
            if (item.Refusal is { } refusal) return Refused(http, item.Number, refusal);
            var message = await MessageOfAsync(http.Caller(), item, cancellationToken);
            item.Faults.ThrowIfAny();
            return new() { Status = StatusCodes.Status202Accepted, Message = await messages.SendAsync(http.Caller(), message, key, cancellationToken) };
        }
        // With the client gone nobody reads a result, and the rest of the batch is not begun.
        catch (Exception fault) when (fault is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return Refused(http, item.Number, ProblemAnswers.ForException(fault, http, logger));
        }
    }

    private async Task<OutgoingMessage> MessageOfAsync(Caller caller, Item item, CancellationToken cancellationToken)
    {
        var message = MessageRules.Apply(item.Request!, time.GetUtcNow(), item.Faults);
        if (item.Faults.Any) await messages.CheckSenderAsync(caller, message.From, item.Faults, cancellationToken);
        return message;
    }

    private static string PlaceOf(int number) => JsonPointer.Item("/" + SendBatchReader.List, number);

    private static SendMessageResult Refused(HttpContext http, int number, Refusal refusal)
    {
        var place = PlaceOf(number);
        var errors = refusal.Errors?.Select(fault => fault.Pointer is { } pointer ? fault with { Pointer = place + pointer } : fault).ToList();
        return new() { Status = refusal.Status, Problem = (refusal with { Errors = errors }).ToProblem(http.TraceIdentifier) with { RetryAfter = refusal.RetryAfterSeconds } };
    }

    private sealed record Item(int Number, SendRequest? Request, Faults Faults, Refusal? Refusal);
}
