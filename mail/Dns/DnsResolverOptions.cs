using System.Net;

namespace MoxApi.Mail.Dns;

/// <summary>How the resolver asks and how long it remembers.</summary>
public sealed record DnsResolverOptions
{
    /// <summary>The recursive servers, asked in this order; empty for those of the system.</summary>
    public IReadOnlyList<IPEndPoint> Servers { get; init; } = [];

    /// <summary>How long one try waits for one server.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How often a silent server is asked again before the next one, 0 to 10.</summary>
    public int Retries { get; init; } = 1;

    /// <summary>
    /// Whether the servers' word that an answer was validated counts. RFC 4035 §4.9.3: only over a secure path to a trusted server. Unless set,
    /// it counts when every server is on loopback.
    /// </summary>
    public bool? TrustAuthenticData { get; init; }

    /// <summary>The longest an answer with records is kept. Short, since the recursive server remembers too.</summary>
    public TimeSpan MaximumTimeToLive { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The longest that NODATA and NXDOMAIN are kept (RFC 2308 §5), so that a mended zone is soon seen.</summary>
    public TimeSpan MaximumNegativeTimeToLive { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a failure is kept. RFC 9520 §3.2: at least one second, at most five minutes.</summary>
    public TimeSpan FailureTimeToLive { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How many answers are kept.</summary>
    public int CacheCapacity { get; init; } = 10_000;

    /// <summary>
    /// How many questions are under way at once; each holds a socket. A silent server holds its questions for many seconds, so where all who ask do so at once, two
    /// questions each, there should be room for them: nobody then waits for another's.
    /// </summary>
    public int MaximumConcurrentQuestions { get; init; } = 10_000;
}
