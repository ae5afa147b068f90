using MoxApi.Api.Hosting;
using MoxApi.Api.Problems;
using MoxApi.Delivery.Domains;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Domains;
using DnsRecord = MoxApi.OpenApi.Domains.DnsRecord;
using Domain = MoxApi.OpenApi.Domains.Domain;
using Stored = MoxApi.Migrations.Accounts;

namespace MoxApi.Api.Domains;

/// <summary>Shows stored domains in the form of the contract.</summary>
internal sealed class DomainView(PublicIds ids, Settings settings, TimeProvider time)
{
    /// <summary>The stored id of a public one; null for what is none.</summary>
    public long? Read(string id) => ids.TryRead(PublicIdKind.Domain, id, out var domain) ? domain : null;

    /// <summary>A domain as a list shows it.</summary>
    public Domain Summary(Stored.Domain row) => new()
    {
        Id = ids.Make(PublicIdKind.Domain, row.Id),
        AccountId = ids.Make(PublicIdKind.Account, row.AccountId),
        Name = MailDomain.Parse(row.Name).Unicode,
        ReturnPathDomain = MailDomain.Parse(row.ReturnPathDomain).Unicode,
        Status = row.SuspendedAt is null ? DomainStatus.Active : DomainStatus.Suspended,
        SuspendedAt = row.SuspendedAt,
        CreatedAt = row.CreatedAt,
    };

    /// <summary>A domain with its keys and the records to publish.</summary>
    public DomainDetail Detail(Stored.Domain row)
    {
        var summary = Summary(row);
        return new DomainDetail
        {
            Id = summary.Id,
            AccountId = summary.AccountId,
            Name = summary.Name,
            ReturnPathDomain = summary.ReturnPathDomain,
            Status = summary.Status,
            SuspendedAt = summary.SuspendedAt,
            CreatedAt = summary.CreatedAt,
            Records = [.. DomainSetup.Records(row, settings.Node.HostName, time.GetUtcNow()).Select(Of)],
            DkimKeys = Keys(row),
        };
    }

    /// <summary>The answer with a domain, or that there is none.</summary>
    public IResult Answer(Stored.Domain? row) => row is null ? Refusal.NotFound : TypedResults.Ok(Detail(row));

    /// <summary>The answer with a domain's keys, or that there is no such domain.</summary>
    public IResult AnswerKeys(Stored.Domain? row) => row is null ? Refusal.NotFound : TypedResults.Ok(new DkimKeyList { Data = Keys(row) });

    private List<DkimKey> Keys(Stored.Domain row)
    {
        var now = time.GetUtcNow();
        var change = row.DkimKeys.Where(k => k.Active).Min(k => k.RetiredAt);
        return [.. row.DkimKeys.OrderByDescending(k => k.Id).Select(k => Of(row, k, k.StateAt(now), change))];
    }

    private static DkimKey Of(Stored.Domain row, Stored.DkimKey key, DkimKeyState state, DateTimeOffset? change) => new()
    {
        Selector = key.Selector,
        Algorithm = key.Algorithm == "rsa" ? DkimKeyAlgorithm.Rsa : DkimKeyAlgorithm.Ed25519,
        Status = Enum.Parse<DkimKeyStatus>(state.ToString()),
        ActivatesAt = state == DkimKeyState.Next ? change : null,
        RetiredAt = key.Active ? null : key.RetiredAt,
        NeededUntil = key.NeededUntil,
        Record = Of(DomainSetup.RecordOf(row, key)),
        CreatedAt = key.CreatedAt,
    };

    private static DnsRecord Of(Delivery.Domains.DnsRecord record) => new() { Name = record.Name, Type = record.Type, Value = record.Value };
}
