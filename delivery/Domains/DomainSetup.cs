using System.Globalization;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Dkim;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Secrets;
using DkimKey = MoxApi.Mail.Dkim.DkimKey;

namespace MoxApi.Delivery.Domains;

/// <summary>A DNS record to publish.</summary>
/// <param name="Name">The owner name without trailing dot.</param>
/// <param name="Type">Such as <c>TXT</c>.</param>
/// <param name="Value">In the form of a zone file, TXT without quotes.</param>
public sealed record DnsRecord(string Name, string Type, string Value)
{
    /// <summary>A line of a zone file; a TXT value over 255 octets is cut into strings (RFC 1035 §3.3.14).</summary>
    public string ToZoneLine() => Type == "TXT"
        ? $"{Name}. IN TXT {string.Join(' ', Value.Chunk(255).Select(part => $"\"{new string(part)}\""))}"
        : $"{Name}. IN {Type} {Value}";
}

/// <summary>Makes new domains, with keys to sign for them, and says what to publish in DNS.</summary>
public sealed class DomainSetup(SecretBox secrets, TimeProvider time)
{
    /// <summary>A domain of an account with an RSA and an Ed25519 key: receivers that do not know the one verify the other.</summary>
    public Domain Create(long accountId, MailDomain name, MailDomain? returnPathDomain = null)
    {
        var now = time.GetUtcNow();
        var domain = new Domain
        {
            AccountId = accountId,
            Name = name.Ascii,
            ReturnPathDomain = (returnPathDomain ?? MailDomain.Parse($"bounces.{name.Ascii}")).Ascii,
            CreatedAt = now,
        };
        domain.DkimKeys.AddRange(NewKeys(domain, active: true));
        return domain;
    }

    /// <summary>A pair of keys for a domain, with names that it has not had yet.</summary>
    /// <param name="domain">With its keys.</param>
    /// <param name="active">Whether they sign from now on; otherwise they are to be published first.</param>
    public IReadOnlyList<Migrations.Accounts.DkimKey> NewKeys(Domain domain, bool active)
    {
        var now = time.GetUtcNow();
        var month = now.ToString("'mox'yyyyMM", CultureInfo.InvariantCulture);
        var number = Enumerable.Range(1, int.MaxValue).Select(n => n == 1 ? "" : n.ToString(CultureInfo.InvariantCulture))
            .First(n => domain.DkimKeys.All(k => k.Selector != $"{month}r{n}" && k.Selector != $"{month}e{n}"));
        return
        [
            NewKey(domain.Name, $"{month}r{number}", DkimAlgorithm.RsaSha256, active, now),
            NewKey(domain.Name, $"{month}e{number}", DkimAlgorithm.Ed25519Sha256, active, now),
        ];
    }

    /// <summary>What to publish for a domain.</summary>
    /// <param name="domain">With its keys.</param>
    /// <param name="host">The name of the host that sends and receives.</param>
    /// <param name="now">The time: the records of keys that nothing needs any more are left out.</param>
    public static IReadOnlyList<DnsRecord> Records(Domain domain, string host, DateTimeOffset now) =>
    [
        .. domain.DkimKeys.Where(k => k.StateAt(now) != DkimKeyState.Removable).OrderBy(k => k.Id).Select(k => RecordOf(domain, k)),
        new(domain.Name, "MX", $"10 {host}."),
        new(domain.Name, "TXT", $"v=spf1 a:{host} mx -all"),
        new($"_dmarc.{domain.Name}", "TXT", "v=DMARC1; p=none"),
        new(domain.ReturnPathDomain, "MX", $"10 {host}."),
        new(domain.ReturnPathDomain, "TXT", $"v=spf1 a:{host} mx -all"),
    ];

    /// <summary>The record that receivers verify a key's signatures with (RFC 6376 §3.6.2.1).</summary>
    public static DnsRecord RecordOf(Domain domain, Migrations.Accounts.DkimKey key) => new($"{key.Selector}._domainkey.{domain.Name}", "TXT", key.TxtRecord);

    private Migrations.Accounts.DkimKey NewKey(string domain, string selector, DkimAlgorithm algorithm, bool active, DateTimeOffset now)
    {
        using var key = DkimKey.Generate(algorithm);
        return new Migrations.Accounts.DkimKey
        {
            Selector = selector,
            Algorithm = algorithm == DkimAlgorithm.RsaSha256 ? "rsa" : "ed25519",
            SealedPrivateKey = secrets.Seal(key.Export(), Migrations.Accounts.DkimKey.SealContext(domain, selector)),
            TxtRecord = key.DnsRecord,
            Active = active,
            CreatedAt = now,
        };
    }
}
