using MoxApi.Mail.Addresses;
using Xunit;

namespace MoxApi.Tests.Mail.Addresses;

public class MailboxTests
{
    [Theory]
    [InlineData("jane@example.org", null, "jane@example.org")]
    [InlineData("<jane@example.org>", null, "jane@example.org")]
    [InlineData("  Jane Döe  < jane@example.org>", null, null)]
    [InlineData(" Jane Döe <jane@example.org> ", "Jane Döe", "jane@example.org")]
    [InlineData("Acme, Inc. <receipts@acme.example>", "Acme, Inc.", "receipts@acme.example")]
    [InlineData("\"Quoted\" (c) <a@b.example>", "\"Quoted\" (c)", "a@b.example")]
    [InlineData("a <b> <c@d.example>", "a <b>", "c@d.example")]
    [InlineData("\"x <y\"@example.org", null, "\"x <y\"@example.org")]
    [InlineData("Jane jane@example.org>", null, null)]
    [InlineData("Jane <jane@example.org", null, null)]
    [InlineData("Jane <>", null, null)]
    [InlineData("Jane\tDoe <jane@example.org>", null, null)]
    [InlineData("", null, null)]
    [InlineData(null, null, null)]
    public void The_text_before_the_last_bracket_is_the_name_as_it_is(string? text, string? name, string? address)
    {
        Assert.Equal(address is not null, Mailbox.TryParse(text, out var mailbox, out var fault));
        Assert.Equal(address, mailbox?.Address.ToString());
        Assert.Equal(name, mailbox?.DisplayName);
        Assert.Equal(address is null, fault is not null);
    }

    [Fact]
    public void What_is_written_reads_back()
    {
        foreach (var text in new[] { "jane@example.org", "Acme, Inc. <receipts@acme.example>", "a <b> <\"c d\"@d.example>" })
        {
            Assert.True(Mailbox.TryParse(text, out var mailbox, out _));
            Assert.Equal(text, mailbox.ToString());
        }
    }

    [Fact]
    public void A_long_name_is_refused()
    {
        Assert.True(Mailbox.TryParse($"{new string('x', Mailbox.MaxNameLength)} <a@b.example>", out _, out _));
        Assert.False(Mailbox.TryParse($"{new string('x', Mailbox.MaxNameLength + 1)} <a@b.example>", out _, out _));
    }
}
