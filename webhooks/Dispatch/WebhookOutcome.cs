using MoxApi.Migrations.Leases;
using MoxApi.Migrations.Webhooks;
using MoxApi.Webhooks.Posting;

namespace MoxApi.Webhooks.Dispatch;

/// <summary>What a call says about its endpoint. Values are written into a statement.</summary>
internal enum EndpointSign : short
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>It works.</summary>
    Works = 1,

    /// <summary>It fails.</summary>
    Fails = 2,

    /// <summary>It is gone for good.</summary>
    Gone = 3,
}

/// <summary>What became of a delivery that was claimed.</summary>
/// <param name="Session">The session that claimed it.</param>
/// <param name="Row">What was claimed.</param>
/// <param name="Status">From now on; <see cref="WebhookDeliveryStatus.Pending"/> keeps it in the queue.</param>
/// <param name="NextAttemptAt">When the next attempt is due, while there is one.</param>
/// <param name="AttemptedAt">When the endpoint was called, or would have been had the event been ready; absent where it was not.</param>
/// <param name="Error">What went wrong.</param>
internal sealed record WebhookOutcome(
    long Session, LeasedRow Row, WebhookDeliveryStatus Status, DateTimeOffset? NextAttemptAt, DateTimeOffset? AttemptedAt, string? Error)
{
    /// <summary>The call; absent where there was none.</summary>
    public PostResult? Call { get; init; }

    /// <summary>What the call says about the endpoint.</summary>
    public EndpointSign Sign { get; init; }

    /// <summary>Until when the endpoint is not to be called.</summary>
    public DateTimeOffset? PausedUntil { get; init; }

    /// <summary>Judges a call, or that there was nothing to call.</summary>
    /// <param name="session">The session that claimed the row.</param>
    /// <param name="due">What was claimed.</param>
    /// <param name="at">When the attempt began.</param>
    /// <param name="call">What became of the call; null where there was none.</param>
    /// <param name="now">When it ended: gaps count from here.</param>
    /// <param name="random">The jitter of the next attempt.</param>
    public static WebhookOutcome Of(long session, DueDelivery due, DateTimeOffset at, PostResult? call, DateTimeOffset now, Random random)
    {
        if (call is null && !due.MayTryAgain) return new(session, due.Row, WebhookDeliveryStatus.Failed, null, null, due.Error);
        if (call is { Succeeded: true })
            return new(session, due.Row, WebhookDeliveryStatus.Delivered, null, at, null) { Call = call, Sign = EndpointSign.Works };
        var gap = call is { IsGone: true } || due.IsTest ? null : RetrySchedule.NextGap(due.Row.Attempts + 1, call?.RetryAfter, random);
        var status = gap is null ? WebhookDeliveryStatus.Failed : WebhookDeliveryStatus.Pending;
        return new(session, due.Row, status, now + gap, at, call is null ? due.Error : call.Error)
        {
            Call = call,
            Sign = SignOf(due, call),
            PausedUntil = call is null ? null : now + SlowDown.After(call, now - (due.FailingSince ?? now)),
        };
    }

    // That an event could not be made ready is our fault; and a test that fails is no event missed: nothing follows it that could tell that the endpoint is back.
    private static EndpointSign SignOf(DueDelivery due, PostResult? call) =>
        call is { IsGone: true } ? EndpointSign.Gone : call is null || due.IsTest ? EndpointSign.None : EndpointSign.Fails;
}
