namespace MoxApi.Mail.Dns;

/// <summary>What a DNS question came to.</summary>
public enum DnsStatus
{
    /// <summary>There are records.</summary>
    Found,

    /// <summary>The name exists, but has no record of this type (NODATA, RFC 2308 §2.2).</summary>
    NoData,

    /// <summary>The name does not exist (NXDOMAIN, RFC 2308 §2.1).</summary>
    NameError,

    /// <summary>No answer for now: SERVFAIL, REFUSED, a timeout, an answer that makes no sense. Another try may succeed.</summary>
    TemporaryFailure,
}
