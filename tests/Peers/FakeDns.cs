using System.Net;
using System.Net.Sockets;
using ARSoft.Tools.Net;
using ARSoft.Tools.Net.Dns;

namespace MoxApi.Tests.Peers;

/// <summary>
/// A DNS server on loopback, over UDP and TCP on one port, that answers like a recursive one: aliases followed, NXDOMAIN and NODATA with an
/// SOA. Its records can change while it runs; the methods that add some return the server, so that a zone reads as a list.
/// </summary>
internal sealed class FakeDns : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, List<DnsRecordBase>> records = [];
    private readonly Dictionary<(string Name, string? Type), Mood> moods = [];
    private readonly List<(string Name, RecordType Type, bool Tcp)> asked = [];
    private readonly DnsServer server;

    public FakeDns()
    {
        (server, EndPoint) = Listen();
        server.QueryReceived += (_, query) =>
        {
            Answer(query);
            return Task.CompletedTask;
        };
    }

    private enum Mood
    {
        ServerFailure,
        Refused,
        Silent,
        Empty,
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Whether answers say that they were validated, to those who ask with DO.</summary>
    public bool Validates { get; set; }

    /// <summary>Whether an alias is answered together with what it stands for.</summary>
    public bool FollowsAliases { get; set; } = true;

    /// <summary>The time to live of what is added from now on, in seconds.</summary>
    public int TimeToLive { get; set; } = 300;

    /// <summary>The MINIMUM of the SOA: how long "nothing here" is kept, in seconds.</summary>
    public int NegativeTimeToLive { get; set; } = 30;

    /// <summary>An MX record; <c>.</c> as the host is the null MX.</summary>
    public FakeDns Mx(string name, int preference, string host) => Add(new MxRecord(Name(name), TimeToLive, (ushort)preference, Name(host)));

    /// <summary>A and AAAA records.</summary>
    public FakeDns Address(string name, params string[] addresses)
    {
        foreach (var address in addresses.Select(IPAddress.Parse))
        {
            Add(address.AddressFamily == AddressFamily.InterNetwork
                ? new ARecord(Name(name), TimeToLive, address)
                : new AaaaRecord(Name(name), TimeToLive, address));
        }
        return this;
    }

    public FakeDns Cname(string name, string target) => Add(new CNameRecord(Name(name), TimeToLive, Name(target)));

    /// <summary>A TXT record of one or more strings.</summary>
    public FakeDns Txt(string name, params string[] texts) => Add(new TxtRecord(Name(name), TimeToLive, texts));

    public FakeDns Tlsa(string name, int usage, int selector, int matching, byte[] data) => Add(new TlsaRecord(
        Name(name), TimeToLive, (TlsaRecord.TlsaCertificateUsage)usage, (TlsaRecord.TlsaSelector)selector, (TlsaRecord.TlsaMatchingType)matching, data));

    /// <summary>SERVFAIL for questions about the name, of one type as in <c>"AAAA"</c> or of all.</summary>
    public FakeDns Fails(string name, string? type = null) => Set(name, type, Mood.ServerFailure);

    /// <summary>REFUSED for questions about the name.</summary>
    public FakeDns Refuses(string name, string? type = null) => Set(name, type, Mood.Refused);

    /// <summary>No answer to questions about the name, so that the asker's time runs out.</summary>
    public FakeDns IsSilent(string name, string? type = null) => Set(name, type, Mood.Silent);

    /// <summary>The name exists, without any record.</summary>
    public FakeDns IsEmpty(string name) => Set(name, null, Mood.Empty);

    /// <summary>Forgets all about a name, which then does not exist.</summary>
    public FakeDns Remove(string name)
    {
        lock (gate)
        {
            records.Remove(Key(name));
            foreach (var key in moods.Keys.Where(each => each.Name == Key(name)).ToList()) moods.Remove(key);
            return this;
        }
    }

    /// <summary>How often a name was asked for, with the type as in <c>"MX"</c>, or with any.</summary>
    public int Asked(string name, string? type = null)
    {
        lock (gate) return asked.Count(each => each.Name == Key(name) && (type is null || TypeName(each.Type) == type));
    }

    /// <summary>How often a name was asked for over TCP.</summary>
    public int AskedOverTcp(string name)
    {
        lock (gate) return asked.Count(each => each.Name == Key(name) && each.Tcp);
    }

    public void Dispose()
    {
        try
        {
            server.Stop();
        }
        catch (AggregateException stopped) when (stopped.InnerExceptions.All(each => each is OperationCanceledException))
        {
            // Its way to say that nobody had connected yet.
        }
    }

    // UDP and TCP must have the same port: one that is free for UDP is tried for both until that works.
    private static (DnsServer Server, IPEndPoint EndPoint) Listen()
    {
        for (var attempt = 1; ; attempt++)
        {
            using var probe = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
            var endPoint = (IPEndPoint)probe.Client.LocalEndPoint!;
            probe.Close();
            var server = new DnsServer(new UdpServerTransport(endPoint), new TcpServerTransport(endPoint));
            try
            {
                server.Start();
                return (server, endPoint);
            }
            catch (SocketException) when (attempt < 50)
            {
                server.Stop();
            }
        }
    }

    private static DomainName Name(string name) => name == "." ? DomainName.Root : DomainName.Parse(name);

    private static string Key(string name) => name.TrimEnd('.').ToLowerInvariant();

    private static string TypeName(RecordType type) => type.ToString().ToUpperInvariant();

    private FakeDns Add(DnsRecordBase record)
    {
        lock (gate)
        {
            var key = Key(record.Name.ToString());
            if (!records.TryGetValue(key, out var there)) records[key] = there = [];
            there.Add(record);
        }
        return this;
    }

    private FakeDns Set(string name, string? type, Mood mood)
    {
        lock (gate) moods[(Key(name), type)] = mood;
        return this;
    }

    private void Answer(QueryReceivedEventArgs query)
    {
        if (query.Query is not DnsMessage { Questions: [var question] } message) return;
        var key = Key(question.Name.ToString());
        lock (gate)
        {
            asked.Add((key, question.RecordType, query.TransportProtocol == TransportProtocol.Tcp));
            var mood = moods.GetValueOrDefault((key, TypeName(question.RecordType)), moods.GetValueOrDefault((key, null), Mood.Empty));
            if (mood == Mood.Silent) return;
            var response = message.CreateResponseInstance();
            response.IsRecursionAllowed = true;
            response.IsAuthenticData = Validates && message.IsDnsSecOk;
            response.ReturnCode = mood switch
            {
                Mood.ServerFailure => ReturnCode.ServerFailure,
                Mood.Refused => ReturnCode.Refused,
                _ => LookUp(question, response),
            };
            query.Response = response;
        }
    }

    private ReturnCode LookUp(DnsQuestion question, DnsMessage response)
    {
        var name = question.Name;
        for (var aliases = 0; aliases < 20; aliases++)
        {
            var there = records.GetValueOrDefault(Key(name.ToString()), []);
            var found = there.FindAll(each => each.RecordType == question.RecordType);
            response.AnswerRecords.AddRange(found);
            if (found.Count > 0) return ReturnCode.NoError;
            if (there.OfType<CNameRecord>().FirstOrDefault() is not { } alias) break;
            response.AnswerRecords.Add(alias);
            name = alias.CanonicalName;
            if (!FollowsAliases) return ReturnCode.NoError;
        }
        response.AuthorityRecords.Add(new SoaRecord(DomainName.Root, 3600, Name("ns.test"), Name("hostmaster.test"), 1, 1, 1, 1, NegativeTimeToLive));
        return Exists(name) ? ReturnCode.NoError : ReturnCode.NxDomain;
    }

    // RFC 8020: a name below which something exists, exists itself.
    private bool Exists(DomainName name)
    {
        var key = Key(name.ToString());
        return key.Length == 0 || records.ContainsKey(key) || moods.Keys.Any(each => each.Name == key) || records.Keys.Any(each => each.EndsWith('.' + key, StringComparison.Ordinal));
    }
}
