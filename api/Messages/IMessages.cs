using MoxApi.Api.Access;
using MoxApi.Api.Json;
using MoxApi.Api.Lists;
using MoxApi.Api.Messages.Searching;
using MoxApi.Api.Problems;
using MoxApi.Mail.Addresses;
using MoxApi.OpenApi.Events;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Messages;

namespace MoxApi.Api.Messages;

/// <summary>An account's messages. Another account's are not found.</summary>
internal interface IMessages
{
    /// <summary>Accepts a message: when this returns, it is committed.</summary>
    /// <param name="caller">Who sends.</param>
    /// <param name="message">The message; its files can be read until this returns.</param>
    /// <param name="idempotencyKey">A repeated key with the same message gives the first answer again.</param>
    /// <param name="cancellationToken">Gives up where nothing was committed yet.</param>
    /// <exception cref="RefusalException">The caller may not send this, or not now.</exception>
    Task<SendMessageResponse> SendAsync(Caller caller, OutgoingMessage message, string? idempotencyKey, CancellationToken cancellationToken);

    /// <summary>Names, beside the other faults of a request that is refused anyway, that the caller may not send as its author.</summary>
    Task CheckSenderAsync(Caller caller, Mailbox? from, Faults faults, CancellationToken cancellationToken);

    /// <summary>The account's outgoing messages that a filter lets through.</summary>
    Task<Page<MessageSummary>> ListAsync(Caller caller, MessageFilter filter, PageRequest page, CancellationToken cancellationToken);

    Task<MessageDetail?> FindAsync(Caller caller, string id, CancellationToken cancellationToken);

    /// <summary>What happened to a message; null where there is no such message.</summary>
    Task<Page<Event>?> EventsAsync(Caller caller, string id, PageRequest page, CancellationToken cancellationToken);

    /// <summary>A recipient's attempts; null where there is no such recipient of the message.</summary>
    Task<Page<DeliveryAttempt>?> AttemptsAsync(Caller caller, string id, string recipientId, PageRequest page, CancellationToken cancellationToken);

    /// <exception cref="RefusalException">The message is there, but no longer its octets.</exception>
    Task<RawMessage?> RawAsync(Caller caller, string id, CancellationToken cancellationToken);
}
