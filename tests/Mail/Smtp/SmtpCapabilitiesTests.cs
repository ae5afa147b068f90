using MoxApi.Mail.Smtp;
using MoxApi.Mail.Smtp.Client;
using Xunit;

namespace MoxApi.Tests.Mail.Smtp;

public class SmtpCapabilitiesTests
{
    [Fact]
    public void Keywords_are_known_in_any_case()
    {
        var all = Parse("8bitmime", "SmtpUtf8", "PIPELINING", "ENHANCEDSTATUSCODES", "starttls", "CHUNKING", "REQUIRETLS", "DSN", "X-OTHER a b");

        Assert.True(all.EightBitMime && all.SmtpUtf8 && all.Pipelining && all.EnhancedStatusCodes);
        Assert.True(all.StartTls && all.RequireTls);
        Assert.False(all.Size);
    }

    [Theory]
    [InlineData("SIZE 1000", 1000L)]
    [InlineData("SIZE 0", null)]
    [InlineData("SIZE", null)]
    [InlineData("SIZE -5", null)]
    [InlineData("SIZE many", null)]
    [InlineData("SIZE 99999999999999999999999", null)]
    public void A_size_is_a_limit_only_where_it_is_a_number_above_0(string line, long? expected)
    {
        var capabilities = Parse(line);

        Assert.True(capabilities.Size);
        Assert.Equal(expected, capabilities.MaxSize);
    }

    [Theory]
    [InlineData("LIMITS RCPTMAX=50 MAILMAX=3", 50, 3)]
    [InlineData("LIMITS mailmax=1 RCPTDOMAINMAX=1", null, 1)]
    [InlineData("LIMITS RCPTMAX=0 MAILMAX=x", null, null)]
    [InlineData("LIMITS RCPTMAX MAILMAX=99999999999", null, null)]
    [InlineData("LIMITS", null, null)]
    public void Limits_are_read(string line, int? recipients, int? transactions)
    {
        var capabilities = Parse(line);

        Assert.Equal(recipients, capabilities.MaxRecipients);
        Assert.Equal(transactions, capabilities.MaxTransactions);
    }

    [Fact]
    public void The_first_line_is_a_name_and_no_keyword() => Assert.False(SmtpCapabilities.Parse(new SmtpReply(250, null, "PIPELINING")).Pipelining);

    private static SmtpCapabilities Parse(params string[] lines) => SmtpCapabilities.Parse(new SmtpReply(250, null, "mx.test\n" + string.Join('\n', lines)));
}
