using MoxApi.Delivery.Outcomes;
using MoxApi.Mail.Smtp;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Migrations.Messages;
using Xunit;

namespace MoxApi.Tests.Delivery.Outcomes;

public class FailureClassifierTests
{
    [Theory]
    [InlineData(550, "5.1.1", "User unknown", FailureClass.MailboxNotFound)]
    [InlineData(550, "5.1.3", "Bad address", FailureClass.MailboxNotFound)]
    [InlineData(550, "5.1.2", "Bad domain", FailureClass.DomainNotFound)]
    [InlineData(556, "5.1.10", "Null MX", FailureClass.DomainNotFound)]
    [InlineData(550, "5.2.1", "Disabled", FailureClass.MailboxDisabled)]
    [InlineData(452, "4.2.2", "Over quota", FailureClass.MailboxFull)]
    [InlineData(552, "5.2.3", "Too long", FailureClass.MessageTooLarge)]
    [InlineData(552, "5.3.4", "Too big", FailureClass.MessageTooLarge)]
    [InlineData(450, "4.4.3", "Directory server", FailureClass.Dns)]
    [InlineData(451, "4.4.7", "Expired", FailureClass.Expired)]
    [InlineData(503, "5.5.1", "Bad sequence", FailureClass.Protocol)]
    [InlineData(554, "5.6.0", "Bad content", FailureClass.Content)]
    [InlineData(550, "5.7.1", "Relaying denied", FailureClass.Policy)]
    [InlineData(550, "5.7.1", "Message looks like spam", FailureClass.Spam)]
    [InlineData(554, "5.7.1", "Listed at zen.spamhaus.org", FailureClass.Spam)]
    [InlineData(550, "5.7.26", "Unauthenticated mail", FailureClass.Authentication)]
    [InlineData(550, "5.7.1", "rejected by DMARC policy", FailureClass.Authentication)]
    [InlineData(550, "5.7.30", "REQUIRETLS needed", FailureClass.Tls)]
    [InlineData(450, "4.7.1", "Greylisted, come back", FailureClass.Greylisted)]
    [InlineData(421, "4.7.0", "Too many connections", FailureClass.RateLimited)]
    [InlineData(550, null, "No such user here", FailureClass.MailboxNotFound)]
    [InlineData(552, null, "Mailbox full", FailureClass.MailboxFull)]
    [InlineData(552, null, "Message exceeds limit", FailureClass.MessageTooLarge)]
    [InlineData(500, null, "What?", FailureClass.Protocol)]
    [InlineData(451, null, "Local error", FailureClass.Other)]
    [InlineData(550, null, "No", FailureClass.Other)]
    [InlineData(550, null, "Requested action not taken: mailbox unavailable", FailureClass.Other)]
    [InlineData(550, null, "Recipient rejected by policy: user unknown", FailureClass.Policy)]
    [InlineData(550, null, "Sender does not exist", FailureClass.Policy)]
    [InlineData(553, null, "Blocked: recipient rejected", FailureClass.Policy)]
    [InlineData(550, null, "Access denied, no such user", FailureClass.Policy)]
    public void Replies_have_a_class(int code, string? enhanced, string text, FailureClass expected)
    {
        EnhancedStatusCode? parsed = enhanced is not null && EnhancedStatusCode.TryParse(enhanced.AsSpan(), out var found, out _) ? found : null;
        Assert.Equal(enhanced is null, parsed is null);

        Assert.Equal(expected, FailureClassifier.Classify(SmtpSteps.Rcpt, code, parsed, text, SmtpFault.None));
    }

    [Theory]
    [InlineData(SmtpSteps.Connect, 554, "No such user", FailureClass.Policy)]
    [InlineData(SmtpSteps.Ehlo, 550, "Who are you?", FailureClass.Policy)]
    [InlineData(SmtpSteps.Mail, 550, "No such user", FailureClass.Policy)]
    [InlineData(SmtpSteps.Data, 550, "No such user", FailureClass.Policy)]
    [InlineData(SmtpSteps.Mail, 451, "Local error", FailureClass.Network)]
    [InlineData(SmtpSteps.Connect, 421, "Too many connections", FailureClass.RateLimited)]
    [InlineData(SmtpSteps.Body, 550, "No such user", FailureClass.MailboxNotFound)]
    public void What_is_said_before_RCPT_is_not_about_the_recipient(string step, int code, string text, FailureClass expected) =>
        Assert.Equal(expected, FailureClassifier.Classify(step, code, null, text, SmtpFault.None));

    [Theory]
    [InlineData(SmtpFault.ConnectFailed, FailureClass.Network)]
    [InlineData(SmtpFault.TimedOut, FailureClass.Network)]
    [InlineData(SmtpFault.Disconnected, FailureClass.Network)]
    [InlineData(SmtpFault.AddressRefused, FailureClass.Network)]
    [InlineData(SmtpFault.TlsFailed, FailureClass.Tls)]
    [InlineData(SmtpFault.TlsUnavailable, FailureClass.Tls)]
    [InlineData(SmtpFault.ProtocolViolation, FailureClass.Protocol)]
    [InlineData(SmtpFault.ExtensionMissing, FailureClass.Content)]
    [InlineData(SmtpFault.TooLarge, FailureClass.MessageTooLarge)]
    [InlineData(SmtpFault.LeaseLost, FailureClass.Interrupted)]
    public void Faults_on_our_side_have_a_class_whatever_the_words(SmtpFault fault, FailureClass expected) =>
        Assert.Equal(expected, FailureClassifier.Classify(SmtpSteps.Connect, 0, new EnhancedStatusCode(4, 4, 1), "spam", fault));
}
