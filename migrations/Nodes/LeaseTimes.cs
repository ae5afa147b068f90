namespace MoxApi.Migrations.Nodes;

/// <summary>How long a session lives without being renewed. Lost minus Unsafe is the time a remote server may take to act on a final dot.</summary>
public sealed record LeaseTimes
{
    /// <summary>Between renewals; 5 s.</summary>
    public TimeSpan Renew { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Without a renewal for this long, no message's final dot is sent any more; 20 s.</summary>
    public TimeSpan Unsafe { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Without a renewal for this long, others take the session's rows; 30 s.</summary>
    public TimeSpan Lost { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Times in the same proportions that add up to this.</summary>
    public static LeaseTimes OfLength(TimeSpan lost) => new() { Lost = lost, Unsafe = lost * 2 / 3, Renew = lost / 6 };
}
