using DnsClient;
using DnsClient.Protocol;

namespace MoxApi.Mail.Dns;

/// <summary>What an answer means for a search.</summary>
internal enum AliasStep
{
    Found,
    Ask,
    Nothing,
    TooMany,
}

/// <summary>
/// Where a chain of aliases has led so far, within one answer or over several. Names are compared in DnsClient's <c>Original</c> form, which is
/// that of the wire; its <c>Value</c> has A-labels decoded.
/// </summary>
internal sealed class AliasSearch(DnsKey key)
{
    public const int MaximumAliases = 10;

    private int aliases;

    public string Name { get; private set; } = key.Name;

    public IReadOnlyList<DnsResourceRecord> Records { get; private set; } = [];

    public TimeSpan TimeToLive { get; private set; } = TimeSpan.MaxValue;

    public bool IsAuthenticated { get; set; } = true;

    public AliasStep Take(IDnsQueryResponse response)
    {
        var asked = Name;
        while (true)
        {
            Records = [.. response.Answers.Where(each => (int)each.RecordType == (int)key.Type && IsAbout(each, Name))];
            foreach (var record in Records) Shorten(record);
            if (Records.Count > 0) return AliasStep.Found;
            var alias = response.Answers.CnameRecords().FirstOrDefault(each => IsAbout(each, Name));
            if (alias is null) break;
            if (++aliases > MaximumAliases) return AliasStep.TooMany;
            Shorten(alias);
            Name = DnsName.Normalize(alias.CanonicalName.Original);
        }
        // RFC 6604 §2.1: the response code is about the last name of the chain. A lone alias says nothing of its target: ask for that.
        return response.Header.ResponseCode == DnsHeaderResponseCode.NotExistentDomain || Name == asked ? AliasStep.Nothing : AliasStep.Ask;
    }

    private static bool IsAbout(DnsResourceRecord record, string name) => DnsName.Normalize(record.DomainName.Original) == name;

    // RFC 2181 §8: a time to live with the top bit set counts as zero.
    private void Shorten(DnsResourceRecord record)
    {
        var own = TimeSpan.FromSeconds(Math.Max(record.InitialTimeToLive, 0));
        if (own < TimeToLive) TimeToLive = own;
    }
}
