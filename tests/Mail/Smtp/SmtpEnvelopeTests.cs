using MoxApi.Mail.Addresses;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Mail.Smtp.Client.SmtpRecipientOutcome;
using static MoxApi.Tests.Mail.Smtp.SmtpClientFixture;

namespace MoxApi.Tests.Mail.Smtp;

/// <summary>What MAIL and RCPT say, and what is not sent at all.</summary>
public class SmtpEnvelopeTests
{
    private static readonly MailAddress Umlaut = MailAddress.Parse("jörg@exämple.org");
    private static readonly MailAddress UmlautDomain = MailAddress.Parse("jane@exämple.org");
    private static readonly MailAddress Quoted = MailAddress.Parse("\"jane \\\"j\\\" doe\"@example.org");

    [Theory]
    [InlineData("SIZE", "MAIL FROM:<bounce+1@acme.example> SIZE=23")]
    [InlineData("SIZE 0", "MAIL FROM:<bounce+1@acme.example> SIZE=23")]
    [InlineData("SIZE 23", "MAIL FROM:<bounce+1@acme.example> SIZE=23")]
    [InlineData("8BITMIME", "MAIL FROM:<bounce+1@acme.example>")]
    public async Task The_size_is_declared_where_SIZE_is_offered_and_0_is_no_limit(string extension, string expected)
    {
        var (transaction, server) = await SendAsync(To(Jane), extension);

        Assert.Equal([Delivered], transaction.Outcomes());
        Assert.Equal(expected, server.Messages[0].Mail);
    }

    [Fact]
    public async Task A_message_larger_than_SIZE_is_not_sent()
    {
        var (transaction, server) = await SendAsync(To(Jane, Sam), "SIZE 22", "PIPELINING");

        AssertNotSent(transaction, server, SmtpFault.TooLarge, "5.3.4");
        Assert.Contains("22", transaction.Recipients[0].Verdict!.Text);
    }

    [Fact]
    public async Task No_return_path_is_an_empty_one()
    {
        var (_, server) = await SendAsync(To(Jane) with { ReversePath = null });

        Assert.Equal("MAIL FROM:<>", server.Messages[0].Mail);
    }

    [Fact]
    public async Task A_local_part_that_needs_quotes_has_them()
    {
        var (transaction, server) = await SendAsync(To(Quoted) with { ReversePath = Quoted });

        Assert.Equal([Delivered], transaction.Outcomes());
        Assert.Equal("MAIL FROM:<\"jane \\\"j\\\" doe\"@example.org>", server.Messages[0].Mail);
        Assert.Equal(["RCPT TO:<\"jane \\\"j\\\" doe\"@example.org>"], server.Messages[0].Rcpts);
    }

    [Fact]
    public async Task Content_of_8_bits_is_announced()
    {
        var (_, server) = await SendAsync(To(Jane) with { Is8Bit = true }, "8BITMIME");

        Assert.Equal("MAIL FROM:<bounce+1@acme.example> BODY=8BITMIME", server.Messages[0].Mail);
    }

    [Fact]
    public async Task Content_of_8_bits_is_not_sent_without_8BITMIME()
    {
        var (transaction, server) = await SendAsync(To(Jane, Sam) with { Is8Bit = true }, "SMTPUTF8");

        AssertNotSent(transaction, server, SmtpFault.ExtensionMissing, "5.6.3");
    }

    [Fact]
    public async Task An_international_domain_leaves_in_A_labels_and_needs_no_SMTPUTF8()
    {
        var (_, server) = await SendAsync(To(UmlautDomain) with { ReversePath = UmlautDomain }, "SMTPUTF8");

        Assert.Equal("MAIL FROM:<jane@xn--exmple-cua.org>", server.Messages[0].Mail);
        Assert.Equal(["RCPT TO:<jane@xn--exmple-cua.org>"], server.Messages[0].Rcpts);
    }

    [Fact]
    public async Task An_international_local_part_leaves_as_it_is_with_SMTPUTF8()
    {
        var (_, server) = await SendAsync(To(Umlaut, Jane), "SMTPUTF8");

        Assert.Equal("MAIL FROM:<bounce+1@acme.example> SMTPUTF8", server.Messages[0].Mail);
        Assert.Equal(["RCPT TO:<jörg@exämple.org>", "RCPT TO:<jane@example.org>"], server.Messages[0].Rcpts);
    }

    [Fact]
    public async Task Without_SMTPUTF8_only_the_recipient_that_needs_it_fails()
    {
        var (transaction, server) = await SendAsync(To(Jane, Umlaut, UmlautDomain));

        Assert.Equal([Delivered, PermanentFailure, Delivered], transaction.Outcomes());
        var verdict = transaction.Recipients[1].Verdict!;
        Assert.Equal(("rcpt", SmtpFault.ExtensionMissing, "5.6.7", true), (verdict.Step, verdict.Fault, verdict.Enhanced.ToString(), verdict.IsPermanent));
        Assert.Equal(["RCPT TO:<jane@example.org>", "RCPT TO:<jane@xn--exmple-cua.org>"], server.Messages[0].Rcpts);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_message_that_needs_SMTPUTF8_is_not_sent_without_it(bool byHeader)
    {
        var envelope = byHeader ? To(Jane) with { NeedsSmtpUtf8 = true } : To(Jane) with { ReversePath = Umlaut };

        var (transaction, server) = await SendAsync(envelope, "8BITMIME");

        AssertNotSent(transaction, server, SmtpFault.ExtensionMissing, "5.6.7");
    }

    [Fact]
    public async Task A_message_without_recipients_is_a_mistake_of_the_caller()
    {
        await using var server = new ScriptedSmtpServer();
        await using var connection = await server.OpenAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => connection.SendAsync(To()));
    }

    /// <summary>Sends the envelope, and then an ordinary one over the same connection.</summary>
    private static async Task<(SmtpTransaction Transaction, ScriptedSmtpServer Server)> SendAsync(SmtpEnvelope envelope, params string[] extensions)
    {
        await using var server = new ScriptedSmtpServer { Extensions = extensions };
        await using var connection = await server.OpenAsync();
        var transaction = await connection.SendAsync(envelope);
        Assert.True(connection.CanSend);
        if (extensions is not ["SIZE 22", ..]) Assert.Equal([Delivered], (await connection.SendAsync(To(Jane))).Outcomes());
        return (transaction, server);
    }

    private static void AssertNotSent(SmtpTransaction transaction, ScriptedSmtpServer server, SmtpFault fault, string code)
    {
        Assert.All(transaction.Recipients, r =>
        {
            Assert.Equal(PermanentFailure, r.Outcome);
            Assert.Equal(("mail", fault, code, 0), (r.Verdict!.Step, r.Verdict.Fault, r.Verdict.Enhanced.ToString(), r.Verdict.Code));
        });
        Assert.Empty(transaction.Steps);
        Assert.DoesNotContain(server.Messages.Take(server.Messages.Count - 1), static _ => true);
    }
}
