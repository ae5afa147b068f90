using System.ComponentModel.DataAnnotations;

namespace MoxApi.Migrations.Pausing;

/// <summary>The section <c>Pause</c> of the configuration: when an account is stopped by itself, because its mail does the installation's reputation harm.</summary>
public sealed class PauseOptions
{
    /// <summary>The period looked at, up to now.</summary>
    [Range(typeof(TimeSpan), "00:10:00", "7.00:00:00")]
    public TimeSpan Window { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The share of bounces that pauses, in percent, where an account says nothing else; 100 or more for never.</summary>
    [Range(0.001, 1000)]
    public double BouncePercent { get; init; } = 5;

    /// <summary>The share of complaints that pauses, in percent, where an account says nothing else; 100 or more for never.</summary>
    [Range(0.001, 1000)]
    public double ComplaintPercent { get; init; } = 0.1;

    /// <summary>Of fewer recipients within the window nothing is concluded.</summary>
    [Range(1, 1_000_000_000)]
    public int MinimumRecipients { get; init; } = 100;

    /// <summary>Of fewer bounces, or complaints, neither: one complaint of a hundred recipients is an accident.</summary>
    [Range(1, 1_000_000_000)]
    public int MinimumCases { get; init; } = 5;
}
