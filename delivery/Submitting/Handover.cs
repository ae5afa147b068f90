using MoxApi.Delivery.Outcomes;
using MoxApi.Delivery.Queue;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Nodes;

namespace MoxApi.Delivery.Submitting;

/// <summary>
/// Hands accepted messages to delivery. Where this node delivers and has room, their rows are born leased and go over in memory: no claim,
/// no reading back. Else they wait in the queue, and whoever delivers is woken.
/// </summary>
internal sealed class Handover(NodeSession session, DeliveryEngine? engine)
{
    /// <summary>Keeps room for a message that is about to be committed.</summary>
    public Place Reserve(Accept accept)
    {
        // Large bodies are read while they are sent, wherever they come from.
        if (engine is null || !accept.Body.IsInMemory || accept.Body.Size > AcceptWriter.AloneAbove) return new Place(this, 0, [], 0);
        return engine.TryReserve(accept.Recipients, accept.Message.Size) ? new Place(this, session.Id, accept.Recipients, accept.Message.Size) : new Place(this, 0, [], 0);
    }

    /// <summary>Room kept for a message; given back unless the message came.</summary>
    internal sealed class Place(Handover owner, long session, IReadOnlyList<AcceptedRecipient> rows, long bytes) : IDisposable
    {
        private bool taken;

        /// <summary>The session that its rows are to be leased to, or 0.</summary>
        public long Session => session;

        /// <summary>The message is committed: passes it on.</summary>
        public async ValueTask CompleteAsync(Accept accept, RetrySchedule retries, Accepted accepted)
        {
            if (accepted.Webhooks) owner.Wake(Roles.Webhooks);
            if (rows.Count > 0 && accepted.Leased)
            {
                taken = true;
                await owner.OfferAsync(accept, retries);
                return;
            }
            owner.WakeDelivery(accept);
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            if (rows.Count > 0 && !taken) owner.Unreserve(rows, bytes);
        }
    }

    private async ValueTask OfferAsync(Accept accept, RetrySchedule retries)
    {
        var row = accept.Message;
        var message = new QueuedMessage(
            row.Id, row.AccountId, row.ReversePath is { Length: > 0 } path ? MailAddress.Parse(path) : null, row.ReturnPathDomain, row.RequireTls, row.NeedsSmtpUtf8,
            row.Header, row.BodyId, accept.Body.Size, accept.Body.Memory);
        var (share, first) = (row.Size / accept.Recipients.Count, row.Size % accept.Recipients.Count);
        foreach (var lane in accept.Recipients.GroupBy(r => r.Row.LaneId))
        {
            var ready = new List<ReadyRow>();
            foreach (var r in lane)
            {
                var recipient = new QueuedRecipient(r.Row.Id, MailAddress.Parse(r.Row.Address), 0, accept.ExpiresAt, retries, null, message);
                ready.Add(new ReadyRow(r.Row.Id, accept.Session, recipient, share + first));
                first = 0;
            }
            await engine!.OfferAsync(lane.Key, ready);
        }
    }

    private void WakeDelivery(Accept accept)
    {
        if (engine is null) session.Wake(Roles.Delivery);
        else foreach (var lane in accept.Recipients.Select(r => r.Row.LaneId).Distinct()) engine.Due(lane, accept.DueAt);
    }

    private void Wake(string role) => session.Wake(role);

    private void Unreserve(IReadOnlyList<AcceptedRecipient> rows, long bytes) => engine!.Unreserve(rows, bytes);
}
