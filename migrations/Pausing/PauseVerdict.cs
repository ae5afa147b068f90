using System.Globalization;
using System.Text.Json;

namespace MoxApi.Migrations.Pausing;

/// <summary>Why an account is paused.</summary>
/// <param name="Reason">As a sentence.</param>
/// <param name="Detail">The figures, as the JSON object of its event.</param>
internal sealed record PauseVerdict(string Reason, string Detail)
{
    /// <summary>Judges outcomes by limits in percent; null where they are within.</summary>
    public static PauseVerdict? Of(Outcomes outcomes, double bouncePercent, double complaintPercent, PauseOptions options)
    {
        if (IsOver(outcomes.Bounced, outcomes.Finished, bouncePercent, options))
            return Say(outcomes, outcomes.Bounced, bouncePercent, "bounced, for their addresses are of no use", options);
        return IsOver(outcomes.Complained, outcomes.Finished, complaintPercent, options)
            ? Say(outcomes, outcomes.Complained, complaintPercent, "called the message spam", options)
            : null;
    }

    private static bool IsOver(long cases, long finished, double limit, PauseOptions options) =>
        limit < 100 && cases >= options.MinimumCases && cases * 100.0 >= limit * finished;

    private static PauseVerdict Say(Outcomes outcomes, long cases, double limit, string what, PauseOptions options)
    {
        var reason = string.Create(CultureInfo.InvariantCulture, $"Of the {outcomes.Finished} recipients of the last {options.Window.TotalHours:0.#} hours {cases} {what}; the limit is {limit} %.");
        return new(reason, JsonSerializer.Serialize(new { reason, finished = outcomes.Finished, bounced = outcomes.Bounced, complained = outcomes.Complained, limitPercent = limit }));
    }
}
