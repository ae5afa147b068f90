using MoxApi.Api.Json;
using MoxApi.Delivery.Submitting;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Messages.Rules;

/// <summary>When a message is to be sent.</summary>
internal static class ScheduleRules
{
    /// <param name="sendAt">The time; a past one is at once.</param>
    /// <param name="accepted">When the message was accepted, or is about to be.</param>
    /// <param name="faults">Collects the faults.</param>
    public static void Check(DateTimeOffset? sendAt, DateTimeOffset accepted, Faults faults)
    {
        // Its signature is made once, and must be valid when it is sent.
        if (sendAt > accepted + Submission.MaxDelay)
            faults.Add("/sendAt", FaultCodes.InvalidValue, $"A message is sent at most {Submission.MaxDelay.Days} days after it was accepted.");
    }
}
