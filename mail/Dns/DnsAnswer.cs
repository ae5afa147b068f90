namespace MoxApi.Mail.Dns;

/// <summary>The answer to a DNS question, with aliases (CNAME) followed.</summary>
/// <typeparam name="T">What a record is read as.</typeparam>
/// <param name="Status">Whether there are records, and if not, why.</param>
/// <param name="Name">The name that the answer is about, after all aliases, without the trailing dot.</param>
/// <param name="Records">The records in the order of the answer; not empty exactly when <see cref="DnsStatus.Found"/>.</param>
/// <param name="TimeToLive">For how long the answer may be kept from now on.</param>
/// <param name="IsAuthenticated">
/// Whether a resolver that we trust has validated the answer, and each alias on the way, by DNSSEC (the AD bit, RFC 4035 §3.2.3).
/// </param>
/// <param name="Fault">For people: what failed, when the status is <see cref="DnsStatus.TemporaryFailure"/>.</param>
public sealed record DnsAnswer<T>(
    DnsStatus Status, string Name, IReadOnlyList<T> Records, TimeSpan TimeToLive, bool IsAuthenticated, string? Fault = null);
