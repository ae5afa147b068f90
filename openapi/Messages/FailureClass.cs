namespace MoxApi.OpenApi.Messages;

/// <summary>
/// Why an attempt failed, in classes that stay the same whatever a remote server's wording is. <c>none</c>: it did not fail.
/// <c>mailbox_not_found</c>: no such address there. <c>domain_not_found</c>: the domain does not exist or takes no mail.
/// <c>mailbox_full</c>, <c>mailbox_disabled</c>: the address exists, but takes no mail now. <c>message_too_large</c>: over the server's limit.
/// <c>policy</c>: refused by a rule of the server, such as a blocklist. <c>spam</c>: taken for spam. <c>authentication</c>: SPF, DKIM or DMARC
/// did not satisfy the server. <c>rate_limited</c>: too much at a time. <c>greylisted</c>: asked to come back later. <c>network</c>: no
/// connection, or a broken one. <c>dns</c>: the domain's servers could not be looked up. <c>tls</c>: no connection protected as required.
/// <c>protocol</c>: the server did not speak SMTP as it should. <c>content</c>: the server cannot take a message of this form.
/// <c>expired</c>: the server says that the message has been on its way for too long (x.4.7); where we give up after our own time, the class is the last
/// attempt's. <c>interrupted</c>: our node died in the attempt. <c>other</c>: none of these.
/// More classes may be added.
/// </summary>
public enum FailureClass
{
    None,
    MailboxNotFound,
    DomainNotFound,
    MailboxFull,
    MailboxDisabled,
    MessageTooLarge,
    Policy,
    Spam,
    Authentication,
    RateLimited,
    Greylisted,
    Network,
    Dns,
    Tls,
    Protocol,
    Content,
    Expired,
    Interrupted,
    Other,
}
