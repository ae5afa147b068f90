using Xunit;

namespace MoxApi.Tests.Inbound.Smtp;

public class SmtpFuzzTests
{
    private static readonly string[] Pieces =
    [
        "EHLO a", "HELO a", "MAIL FROM:<a@b>", "RCPT TO:<a@b>", "RCPT TO:<u550@b>", "RCPT TO:<u421x@b>", "DATA", "RSET", "NOOP", "VRFY a", "STARTTLS", "AUTH PLAIN",
        "BDAT 3", "\r\n", "\r\n", "\r\n", "\r", "\n", ".", " ", "<", ">", "\"", "\0", "\u00ff", "SIZE=1", " SMTPUTF8", new string('y', 3000),
    ];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Whatever_is_said_in_whatever_state_the_session_answers_and_comes_back_into_step(int state)
    {
        string[] begin = ["EHLO client.example", "MAIL FROM:<jane@example.org>", "RCPT TO:<sam@example.net>", "DATA"];
        var random = new Random(state);
        await using var host = await SmtpListenerHost.StartAsync(options => options.MaxFaults = 1000);
        for (var n = 0; n < 100; n++)
        {
            await using var client = await host.ConnectAsync();
            await client.SendAsync(begin[..state]);
            await client.SendRawAsync(string.Concat(random.GetItems(Pieces, random.Next(1, 30))));
            // Ends a message, if one is open; else it is one line more that is no command.
            await client.SendRawAsync("\r\n.\r\nQUIT\r\n");
            var said = await client.ToEndAsync();
            Assert.All(said, line => Assert.Matches("^[2-5][0-9][0-9][- ]", line));
            Assert.StartsWith("221 ", said[^1], StringComparison.Ordinal);
        }
        Assert.Equal(0, host.Backend.Open);
    }
}
