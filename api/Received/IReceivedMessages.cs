using MoxApi.Api.Access;
using MoxApi.Api.Lists;
using MoxApi.Api.Messages;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Received;

namespace MoxApi.Api.Received;

/// <summary>What arrived in an account's mailboxes. Another account's messages are not found.</summary>
internal interface IReceivedMessages
{
    Task<Page<ReceivedMessage>> ListAsync(Caller caller, PageRequest page, CancellationToken cancellationToken);

    Task<RawMessage?> RawAsync(Caller caller, string id, CancellationToken cancellationToken);
}
