using Xunit;

namespace MoxApi.Tests.Inbound.Smtp;

public class SmtpSessionTests
{
    [Fact]
    public async Task A_message_is_taken_and_arrives_with_its_envelope_and_a_trace_field()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        await using var client = await host.BeginAsync();
        await client.SayStartAsync("DATA", "354 ");
        await client.SendAsync("Subject: hi", "", "..dot", ".");
        await client.ExpectStartAsync("250 2.0.0 Ok ");
        await client.SayAsync("QUIT", "221 2.0.0 Bye");
        await client.ExpectClosedAsync();

        var received = await host.Backend.NextAsync();
        Assert.Equal("Subject: hi\r\n\r\n.dot\r\n"u8.ToArray(), received.Octets);
        Assert.Equal("jane@example.org", received.Envelope.ReversePath!.ToString());
        Assert.Equal(["sam@example.net"], received.Envelope.Recipients.Select(address => address.ToString()));
        Assert.Matches(
            $@"^Received: from client\.example \(\[127\.0\.0\.1\]\)\r\n\tby mx\.example\.org with ESMTP id {received.Envelope.Id}\r\n\tfor <sam@example\.net>;\r\n\t"
            + @"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\n$", received.Trace);
        Assert.Equal(0, host.Backend.Open);
    }

    [Fact]
    public async Task The_extensions_are_announced_to_EHLO_alone()
    {
        await using var host = await SmtpListenerHost.StartAsync(options => options.MaxMessageOctets = 100_000);
        await using var client = await host.ConnectAsync();
        await client.SendAsync("EHLO client.example");
        Assert.Equal(
            ["250-mx.example.org greets client.example", "250-PIPELINING", "250-SIZE 100000", "250-8BITMIME", "250-SMTPUTF8", "250 ENHANCEDSTATUSCODES"],
            await client.ReplyAsync());
        await client.SayAsync("HELO client.example", "250 mx.example.org greets client.example");
    }

    [Fact]
    public async Task Commands_out_of_order_get_503_and_the_session_goes_on()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        await using var client = await host.ConnectAsync();
        await client.SayStartAsync("MAIL FROM:<jane@example.org>", "503 5.5.1 ");
        await client.SayStartAsync("RCPT TO:<sam@example.net>", "503 5.5.1 ");
        await client.SayStartAsync("DATA", "503 5.5.1 ");
        await client.SayStartAsync("HELO client.example", "250 ");
        await client.SayStartAsync("MAIL FROM:<jane@example.org>", "250 ");
        await client.SayStartAsync("MAIL FROM:<jane@example.org>", "503 5.5.1 ");
        await client.SayStartAsync("DATA", "554 5.5.1 ");
        await client.SayStartAsync("RCPT TO:<sam@example.net>", "250 ");
        await client.SayStartAsync("DATA", "354 ");
        await client.SayStartAsync(".", "250 ");
        Assert.Contains("with SMTP id", (await host.Backend.NextAsync()).Trace, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("RSET")]
    [InlineData("EHLO client.example")]
    [InlineData("HELO client.example")]
    public async Task RSET_EHLO_and_HELO_end_the_transaction(string command)
    {
        await using var host = await SmtpListenerHost.StartAsync();
        await using var client = await host.BeginAsync();
        Assert.Equal(1, host.Backend.Open);
        await client.SayStartAsync(command, "250 ");
        Assert.Equal(0, host.Backend.Open);
        await client.SayStartAsync("DATA", "503 ");
        await client.SayStartAsync("MAIL FROM:<>", "250 ");
    }

    [Fact]
    public async Task What_is_not_offered_gets_502_and_VRFY_tells_nothing()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        await using var client = await host.ConnectAsync();
        foreach (var command in new[] { "STARTTLS", "AUTH PLAIN", "BDAT 1 LAST", "EXPN staff" }) await client.SayStartAsync(command, "502 5.5.1 ");
        await client.SayStartAsync("VRFY jane", "252 ");
        await client.SayStartAsync("HELP", "214 ");
        await client.SayAsync("NOOP", "250 2.0.0 Ok");
        await client.SayAsync("noop", "250 2.0.0 Ok");
    }

    [Fact]
    public async Task Pipelined_commands_are_answered_in_order()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        await using var client = await host.ConnectAsync();
        await client.SendAsync("EHLO a.example", "MAIL FROM:<jane@example.org>", "RCPT TO:<u550@example.net>", "RCPT TO:<u452@example.net>",
            "RCPT TO:<sam@example.net>", "DATA");
        foreach (var reply in new[] { "250 ", "250 ", "550 5.1.1 ", "452 4.3.1 ", "250 ", "354 " }) await client.ExpectStartAsync(reply);
        await client.SendAsync("one", ".", "MAIL FROM:<jane@example.org>", "RCPT TO:<sam@example.net>", "DATA", "two", ".", "QUIT");
        foreach (var reply in new[] { "250 ", "250 ", "250 ", "354 ", "250 ", "221 " }) await client.ExpectStartAsync(reply);
        Assert.Equal("one\r\n"u8.ToArray(), (await host.Backend.NextAsync()).Octets);
        Assert.Equal("two\r\n"u8.ToArray(), (await host.Backend.NextAsync()).Octets);
    }

    [Fact]
    public async Task A_session_cut_into_single_octets_goes_the_same_way()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        await using var client = await host.ConnectAsync();
        foreach (var octet in "EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<\"c d\"@e>\r\nDATA\r\n..\r\nx\r\n.\r\nQUIT\r\n") await client.SendRawAsync(octet.ToString());
        foreach (var reply in new[] { "250 ", "250 ", "250 ", "354 ", "250 ", "221 " }) await client.ExpectStartAsync(reply);
        Assert.Equal(".\r\nx\r\n"u8.ToArray(), (await host.Backend.NextAsync()).Octets);
    }

    [Fact]
    public async Task Quoted_local_parts_and_the_bare_postmaster_work()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        await using var client = await host.ConnectAsync();
        await client.SendAsync("EHLO a", "MAIL FROM:<\"jane > doe\"@example.org> SIZE=10", "RCPT TO:<\"a@b\\\"c\"@example.net>", "RCPT TO:<POSTMASTER>", "DATA", "x", ".");
        foreach (var reply in new[] { "250 ", "250 ", "250 ", "250 ", "354 ", "250 " }) await client.ExpectStartAsync(reply);
        var received = await host.Backend.NextAsync();
        Assert.Equal("jane > doe", received.Envelope.ReversePath!.LocalPart);
        Assert.Equal(["\"a@b\\\"c\"@example.net", "postmaster@mx.example.org"], received.Envelope.Recipients.Select(address => address.ToString()));
        Assert.DoesNotContain("for <", received.Trace, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Addresses_in_utf8_need_SMTPUTF8_in_MAIL()
    {
        const string joerg = "j\u00c3\u00b6rg@example.org"; // jörg, as octets in Latin-1
        await using var host = await SmtpListenerHost.StartAsync();
        await using var client = await host.ConnectAsync();
        await client.SayStartAsync("EHLO a", "250 ");
        await client.SayStartAsync($"MAIL FROM:<{joerg}>", "553 5.6.7 ");
        await client.SayStartAsync("MAIL FROM:<jane@example.org>", "250 ");
        await client.SayStartAsync($"RCPT TO:<{joerg}>", "553 5.6.7 ");
        await client.SayStartAsync("RSET", "250 ");
        await client.SayStartAsync($"MAIL FROM:<{joerg}> SMTPUTF8", "250 ");
        await client.SayStartAsync($"RCPT TO:<{joerg}>", "250 ");
        await client.SayStartAsync("DATA", "354 ");
        await client.SayStartAsync("x\r\n.", "250 ");
        var received = await host.Backend.NextAsync();
        Assert.Equal("j\u00f6rg", received.Envelope.ReversePath!.LocalPart);
        Assert.Contains("with UTF8SMTP id", received.Trace, StringComparison.Ordinal);
        Assert.Contains("for <j\u00f6rg@example.org>", received.Trace, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_sender_leaves_no_transaction_open()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        await using var client = await host.ConnectAsync();
        await client.SayStartAsync("EHLO a", "250 ");
        await client.SayStartAsync("MAIL FROM:<refused@example.org>", "550 5.7.1 ");
        Assert.Equal(0, host.Backend.Open);
        await client.SayStartAsync("MAIL FROM:<jane@example.org>", "250 ");
    }

    [Fact]
    public async Task What_nobody_foresaw_is_451_and_the_session_goes_on()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        host.Backend.Storing = _ => throw new InvalidOperationException("A test's fault.");
        await using var client = await host.ConnectAsync();
        await client.SayStartAsync("EHLO a", "250 ");
        await client.SayStartAsync("MAIL FROM:<throws@example.org>", "451 4.3.0 ");
        await client.SayStartAsync("MAIL FROM:<jane@example.org>", "250 ");
        await client.SayStartAsync("RCPT TO:<sam@example.net>", "250 ");
        await client.SayStartAsync("DATA", "354 ");
        await client.SayStartAsync("x\r\n.", "451 4.3.0 ");
        await client.SayAsync("NOOP", "250 2.0.0 Ok");
        Assert.Equal(0, host.Backend.Open);
    }

    [Fact]
    public async Task Too_many_recipients_are_452_and_the_rest_is_delivered()
    {
        await using var host = await SmtpListenerHost.StartAsync(options => options.MaxRecipients = 100);
        await using var client = await host.BeginAsync();
        for (var n = 1; n < 100; n++) await client.SayStartAsync($"RCPT TO:<user@{n}.example.net>", "250 ");
        await client.SayStartAsync("RCPT TO:<last@example.net>", "452 4.5.3 ");
        await client.SayStartAsync("DATA", "354 ");
        await client.SayStartAsync("x\r\n.", "250 ");
        Assert.Equal(100, (await host.Backend.NextAsync()).Envelope.Recipients.Count);
    }

    [Fact]
    public async Task A_browser_that_posts_here_is_turned_away_before_its_body_is_read()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        await using var client = await host.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1", "Host: localhost:1025", "", "EHLO a", "MAIL FROM:<jane@example.org>", "RCPT TO:<sam@example.net>", "DATA", "x", ".");
        await client.ExpectStartAsync("421 4.7.0 ");
        await client.ExpectClosedAsync();
        Assert.False(host.Backend.HasReceived);
    }
}
