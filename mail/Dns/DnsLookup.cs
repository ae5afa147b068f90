using DnsClient;
using DnsClient.Protocol;

namespace MoxApi.Mail.Dns;

/// <summary>A question: a name in lower case without trailing dot, and a type.</summary>
internal readonly record struct DnsKey(string Name, QueryType Type);

/// <summary>What is remembered of an answer.</summary>
internal sealed record DnsLookup(
    DnsStatus Status, string Name, IReadOnlyList<DnsResourceRecord> Records, DateTimeOffset Expires, bool IsAuthenticated, string? Fault);
