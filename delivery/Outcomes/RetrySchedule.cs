using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace MoxApi.Delivery.Outcomes;

/// <summary>The waits between the attempts for a recipient, as data.</summary>
public sealed class RetrySchedule
{
    private const double Jitter = 0.1;

    private readonly TimeSpan[] waits;
    private readonly bool endsWithList;

    private RetrySchedule(TimeSpan[] waits, bool endsWithList) => (this.waits, this.endsWithList) = (waits, endsWithList);

    /// <summary>1m, 5m, 15m, 30m, 1h, 2h, 4h, 8h, 12h, 12h, and a last attempt when the message expires.</summary>
    public static RetrySchedule Default { get; } = new([.. new[] { 1, 5, 15, 30, 60, 120, 240, 480, 720, 720 }.Select(m => TimeSpan.FromMinutes(m))], false);

    /// <summary>The mail server mox's: 8 attempts over 16 hours, the first wait 7.5 minutes, each twice the one before.</summary>
    public static RetrySchedule Mox { get; } = new([.. Enumerable.Range(0, 7).Select(n => TimeSpan.FromMinutes(7.5) * (1 << n))], true);

    /// <summary>Reads <c>default</c>, <c>mox</c>, or up to 50 waits such as <c>30s 5m 1h</c>, each of 1 s to 7 days.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out RetrySchedule? schedule)
    {
        schedule = text switch { "default" => Default, "mox" => Mox, _ => null };
        if (schedule is not null) return true;
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length is 0 or > 50) return false;
        var waits = new TimeSpan[words.Length];
        for (var i = 0; i < words.Length; i++)
        {
            if (!TryWait(words[i], out waits[i])) return false;
        }
        schedule = new RetrySchedule(waits, false);
        return true;
    }

    /// <summary>When the next attempt is due after so many that failed; null when there is none any more.</summary>
    /// <param name="attempts">Attempts made, 1 or more.</param>
    /// <param name="now">The time of the failure.</param>
    /// <param name="expiresAt">The end of the message's life: the last attempt is made then.</param>
    /// <param name="random">0 to below 1: spreads what failed together by a tenth to either side.</param>
    public DateTimeOffset? Next(int attempts, DateTimeOffset now, DateTimeOffset expiresAt, double random)
    {
        if (now >= expiresAt) return null;
        if (attempts > waits.Length) return endsWithList ? null : expiresAt;
        var due = now + (waits[attempts - 1] * (1 - Jitter + (2 * Jitter * random)));
        return due < expiresAt ? due : expiresAt;
    }

    private static bool TryWait(string word, out TimeSpan wait)
    {
        wait = default;
        if (!int.TryParse(word.AsSpan(0, word.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
        var seconds = word[^1] switch { 's' => 1L, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => 0 } * number;
        if (seconds is < 1 or > 7 * 86400) return false;
        wait = TimeSpan.FromSeconds(seconds);
        return true;
    }
}
