using MoxApi.Mail.Addresses;
using MoxApi.Mail.Smtp;

namespace MoxApi.Mail.Dns;

/// <summary>Why there is no way to a domain, in the words of SMTP replies with the codes of RFC 3463 and RFC 7505.</summary>
internal static class MxFailure
{
    /// <summary>RFC 3463 §3.5: X.4.6, routing loop detected.</summary>
    public static readonly EnhancedStatusCode RoutingLoop = new(5, 4, 6);

    public static SmtpReply NoSuchDomain(MailDomain domain) => new(550, new(5, 1, 2), $"The domain {domain.Ascii} does not exist");

    public static SmtpReply NeitherMxNorAddress(MailDomain domain) =>
        new(550, new(5, 1, 2), $"The domain {domain.Ascii} has neither MX nor address records, so it takes no mail");

    // RFC 7505 §4.2.
    public static SmtpReply NullMx(MailDomain domain) => new(556, new(5, 1, 10), $"The domain {domain.Ascii} says that it takes no mail (null MX)");

    public static SmtpReply HostWithoutAddress(string host) => new(550, new(5, 4, 4), $"The mail server {host} has no address");

    public static SmtpReply LoopsBack(MailDomain domain) => new(550, RoutingLoop, $"The mail servers of {domain.Ascii} are this one: mail for it would loop");

    public static SmtpReply DnsFailed(string name, string? fault) => new(450, new(4, 4, 3), $"DNS has no answer about {name} for now. {fault}".TrimEnd());
}
