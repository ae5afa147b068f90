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
    private readonly NodeSession session = session;
    private readonly DeliveryEngine? engine = engine;

    /// <summary>Keeps room for a message that is about to be committed.</summary>
    public Place Reserve(Accept accept)
    {
        // Large bodies are read while they are sent, wherever they come from; what is for later, or a test, is not for now.
        var now = accept.Recipients[0].Row.Status == RecipientStatus.Queued;
        var lease = engine is null || !now || !accept.Body.IsInMemory || accept.Body.Size > AcceptWriter.AloneAbove ? 0 : engine.TryReserve(accept);
        return new Place(this, accept with { Session = lease });
    }

    /// <summary>Room kept for a message; given back unless the message came.</summary>
    internal sealed class Place(Handover owner, Accept accept) : IDisposable
    {
        private bool taken;

        /// <summary>The message, with the session that its rows are to be leased to, if any.</summary>
        public Accept Accept => accept;

        /// <summary>The message is committed: passes it on.</summary>
        public async ValueTask CompleteAsync(RetrySchedule retries, Accepted accepted)
        {
            if (accepted.Webhooks) owner.session.Wake(Roles.Webhooks);
            // Who was suppressed or held at the accept is not to be sent to.
            var queued = accept.Recipients.Where(r => r.Row.Status is RecipientStatus.Queued or RecipientStatus.Scheduled).ToList();
            if (queued.Count == 0) return;
            taken = accepted.Leased;
            if (!taken)
            {
                owner.WakeDelivery(accept, queued);
                return;
            }

            if (accepted.Changed) owner.engine!.Forget(accept.Recipients.Except(queued), accept.Session);
            await owner.OfferAsync(accept, queued, retries);
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            if (accept.Session != 0 && !taken) owner.engine!.Unreserve(accept);
        }
    }

    private async ValueTask OfferAsync(Accept accept, List<AcceptedRecipient> queued, RetrySchedule retries)
    {
        var row = accept.Message;
        var message = new QueuedMessage(
            row.Id, row.AccountId, row.DomainId, row.AcceptedAt, row.ReversePath is { Length: > 0 } path ? MailAddress.Parse(path) : null, row.ReturnPathDomain, row.RequireTls, row.NeedsSmtpUtf8,
            row.Header, row.BodyId, accept.Body.Size, accept.Body.Memory);
        var (share, first) = (row.Size / queued.Count, row.Size % queued.Count);
        foreach (var lane in queued.GroupBy(r => r.Row.LaneId))
        {
            var ready = new List<ReadyRow>();
            foreach (var r in lane)
            {
                var recipient = new QueuedRecipient(r.Row.Id, accept.Session, MailAddress.Parse(r.Row.Address), 0, accept.ExpiresAt, retries, null, message);
                ready.Add(new ReadyRow(r.Row.Id, accept.Session, recipient, share + first));
                first = 0;
            }
            await engine!.OfferReservedAsync(lane.Key, ready[0].Loaded!.Address.Domain, ready);
        }
    }

    private void WakeDelivery(Accept accept, List<AcceptedRecipient> queued)
    {
        if (engine is null) session.Wake(Roles.Delivery);
        else foreach (var lane in queued.Select(r => r.Row.LaneId).Distinct()) engine.Due(lane, accept.DueAt);
    }
}
