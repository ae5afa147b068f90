using MoxApi.Api.Access;
using MoxApi.Api.Problems;

namespace MoxApi.Api.Messages;

/// <summary>
/// Changes what of an account's messages is still to come. Another account's are not found, nor is what the caller could not have sent: real messages with a
/// test key and the other way round, and those of other domains than the key's.
/// </summary>
internal interface IScheduledMessages
{
    /// <summary>Cancels a message for those recipients that no worker has in hand; false where there is no such message.</summary>
    /// <exception cref="RefusalException">There is none of these.</exception>
    Task<bool> CancelAsync(Caller caller, string id, CancellationToken cancellationToken);

    /// <summary>Gives a message another time for those recipients that were not tried yet; false where there is no such message.</summary>
    /// <exception cref="RefusalException">There is none of these, the message was not sent for later, or the time is too far ahead.</exception>
    Task<bool> RescheduleAsync(Caller caller, string id, DateTimeOffset sendAt, CancellationToken cancellationToken);
}
