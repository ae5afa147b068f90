using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using MoxApi.Migrations.Writing;
using Xunit;

namespace MoxApi.Tests.Inbound.Smtp;

public class SmtpLimitsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_silent_client_is_kept_for_five_minutes_and_then_told_421()
    {
        var time = new FakeTimeProvider();
        await using var host = await SmtpListenerHost.StartAsync(time: time);
        await using var client = await host.BeginAsync();
        time.Advance(TimeSpan.FromSeconds(299));
        await client.SayAsync("NOOP", "250 2.0.0 Ok");
        await PassAsync(time, client.ExpectStartAsync("421 4.4.2 "));
        await client.ExpectClosedAsync();
        Assert.Equal(0, host.Backend.Open);
    }

    [Fact]
    public async Task A_client_silent_in_the_middle_of_a_message_is_told_421()
    {
        var time = new FakeTimeProvider();
        await using var host = await SmtpListenerHost.StartAsync(time: time);
        await using var client = await host.BeginAsync();
        await client.SayStartAsync("DATA", "354 ");
        await client.SendRawAsync("half a line");
        await PassAsync(time, client.ExpectStartAsync("421 4.4.2 "));
        Assert.False(host.Backend.HasReceived);
    }

    [Fact]
    public async Task A_message_that_comes_an_octet_at_a_time_is_waited_for_ten_minutes()
    {
        var (time, inFlight) = (new FakeTimeProvider(), new BytesInFlight());
        await using var host = await SmtpListenerHost.StartAsync(time: time, inFlight: inFlight);
        await using var client = await host.BeginAsync();
        await client.SayStartAsync("DATA", "354 ");
        var began = time.GetUtcNow();
        var told = client.ExpectStartAsync("421 4.4.2 The message comes too slowly");
        while (!told.IsCompleted)
        {
            var taken = inFlight.Taken;
            time.Advance(TimeSpan.FromSeconds(10));
            await client.SendRawAsync("x");
            await Eventually.HoldsAsync(() => Task.FromResult(told.IsCompleted || inFlight.Taken != taken), "the octet to be read");
        }
        await told;
        Assert.InRange(time.GetUtcNow() - began, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(11));
        Assert.False(host.Backend.HasReceived);
    }

    [Fact]
    public async Task A_large_message_has_the_time_that_it_needs()
    {
        var (time, inFlight) = (new FakeTimeProvider(), new BytesInFlight());
        await using var host = await SmtpListenerHost.StartAsync(time: time, inFlight: inFlight);
        await using var client = await host.BeginAsync();
        await client.SayStartAsync("DATA", "354 ");
        for (var part = 1; part <= 4; part++)
        {
            await client.SendRawAsync(string.Concat(Enumerable.Repeat(new string('x', 998) + "\r\n", 800)));
            // An eighth of what is in the file, and all of what is yet in memory, 64 KiB at most: more than all parts before this one can come to.
            await Eventually.HoldsAsync(() => Task.FromResult(inFlight.Taken >= part * 800_000 / 8), "the part to be read");
            time.Advance(TimeSpan.FromMinutes(4));
        }
        await client.SendRawAsync("x\r\n");
        await client.SayStartAsync(".", "250 ");
    }

    [Theory]
    [InlineData("NOOP", "250 ")]
    [InlineData("RSET", "250 ")]
    [InlineData("VRFY jane", "252 ")]
    [InlineData("EHLO client.example", "250 ")]
    [InlineData("MAIL FROM:<jane@example.org> SIZE=999999999", "552 ")]
    public async Task A_hundred_commands_that_bring_no_message_end_the_session(string command, string reply)
    {
        await using var host = await SmtpListenerHost.StartAsync();
        await using var client = await host.ConnectAsync();
        await client.SayStartAsync("EHLO client.example", "250 ");
        for (var n = 1; n < 100; n++) await client.SayStartAsync(command, reply);
        await client.SayStartAsync(command, "421 4.7.0 ");
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task A_client_that_has_mail_may_stay_and_say_more()
    {
        await using var host = await SmtpListenerHost.StartAsync(options => options.MaxIdleCommands = 10);
        await using var client = await host.BeginAsync();
        for (var message = 0; message < 5; message++)
        {
            for (var n = 0; n < 8; n++) await client.SayStartAsync("NOOP", "250 ");
            for (var n = 0; n < 20; n++) await client.SayStartAsync("RCPT TO:<sam@example.net>", "250 ");
            await client.SayStartAsync("DATA", "354 ");
            await client.SayStartAsync(".", "250 ");
            await client.SayStartAsync("MAIL FROM:<jane@example.org>", "250 ");
        }
    }

    [Fact]
    public async Task A_client_that_reads_nothing_is_left()
    {
        var time = new FakeTimeProvider();
        await using var host = await SmtpListenerHost.StartAsync(options => options.MaxIdleCommands = int.MaxValue, time);
        await using var client = await host.ConnectAsync();
        var lines = string.Concat(Enumerable.Repeat("HELP\r\n", 10_000));
        var flood = Task.Run(async () => await Assert.ThrowsAsync<SocketException>(async () =>
        {
            while (true) await client.SendRawAsync(lines);
        }));
        await PassAsync(time, flood);
    }

    [Fact]
    public async Task A_message_that_cannot_be_stored_in_time_is_451()
    {
        var time = new FakeTimeProvider();
        await using var host = await SmtpListenerHost.StartAsync(time: time);
        host.Backend.Storing = async cancel => await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancel);
        await using var client = await host.BeginAsync();
        await client.SayStartAsync("DATA", "354 ");
        await client.SendAsync("x", ".");
        await PassAsync(time, client.ExpectStartAsync("451 4.3.0 "));
        await client.SayAsync("NOOP", "250 2.0.0 Ok");
    }

    [Fact]
    public async Task A_stopping_server_says_421_to_those_who_pause_and_takes_a_message_to_its_end()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        await using var pausing = await host.BeginAsync();
        await using var sending = await host.BeginAsync();
        await sending.SayStartAsync("DATA", "354 ");
        await sending.SendRawAsync("half a ");
        var stop = host.StopAsync();
        await pausing.ExpectStartAsync("421 4.3.2 ");
        await pausing.ExpectClosedAsync();
        await sending.SendRawAsync("line\r\n.\r\n");
        await sending.ExpectStartAsync("250 2.0.0 ");
        await sending.ExpectStartAsync("421 4.3.2 ");
        await stop.WaitAsync(Patience);
        Assert.Equal("half a line\r\n"u8.ToArray(), (await host.Backend.NextAsync()).Octets);
    }

    [Fact]
    public async Task A_recipient_that_hangs_holds_up_nobody_else_and_is_let_go_when_the_client_leaves()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        await using (var hanging = await host.BeginAsync())
        {
            await hanging.SendAsync("RCPT TO:<a-timeout@example.net>");
            await using var other = await host.BeginAsync();
            await other.SayStartAsync("DATA", "354 ");
            await other.SayStartAsync(".", "250 ");
            Assert.Empty(host.Backend.Left);
        }
        using var deadline = new CancellationTokenSource(Patience);
        while (host.Backend.Left.IsEmpty) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, deadline.Token);
        Assert.Equal(["a-timeout"], host.Backend.Left);
    }

    [Fact]
    public async Task A_recipient_that_hangs_is_told_421_when_the_server_stops()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        await using var hanging = await host.BeginAsync();
        await hanging.SendAsync("RCPT TO:<timeout@example.net>");
        var stop = host.StopAsync();
        await hanging.ExpectStartAsync("421 4.3.2 ");
        await stop.WaitAsync(Patience);
    }

    [Fact]
    public async Task Twenty_mistakes_end_the_session()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        await using var client = await host.ConnectAsync();
        for (var n = 1; n < 20; n++) await client.SayStartAsync("WRONG", "500 5.5.2 ");
        await client.SayStartAsync("WRONG", "421 4.7.0 ");
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task Who_guesses_at_recipients_is_told_421_after_a_few()
    {
        await using var host = await SmtpListenerHost.StartAsync(options => options.MaxFaults = 3);
        await using var client = await host.BeginAsync();
        await client.SayStartAsync("RCPT TO:<ann550@example.net>", "550 5.1.1 ");
        await client.SayStartAsync("RCPT TO:<bob550@example.net>", "550 5.1.1 ");
        await client.SayStartAsync("RCPT TO:<cid550@example.net>", "421 4.7.0 ");
        await client.ExpectClosedAsync();
        Assert.Equal(0, host.Backend.Open);
    }

    [Fact]
    public async Task A_message_that_is_taken_wipes_the_slate_clean()
    {
        await using var host = await SmtpListenerHost.StartAsync(options => options.MaxFaults = 3);
        await using var client = await host.BeginAsync();
        for (var message = 0; message < 3; message++)
        {
            for (var n = 0; n < 2; n++) await client.SayStartAsync("RCPT TO:<ann550@example.net>", "550 5.1.1 ");
            await client.SayStartAsync("DATA", "354 ");
            await client.SayStartAsync(".", "250 ");
            await client.SendAsync("MAIL FROM:<jane@example.org>", "RCPT TO:<sam@example.net>");
            await client.ExpectStartAsync("250 ");
            await client.ExpectStartAsync("250 ");
        }
    }

    [Theory, InlineData("u450", "450 "), InlineData("u503", "503 ")]
    public async Task Recipients_refused_for_now_and_those_of_the_sandbox_are_no_mistakes(string localPart, string reply)
    {
        await using var host = await SmtpListenerHost.StartAsync(options => (options.MaxFaults, options.RefusedRecipientsAreFaults) = (3, localPart == "u450"));
        await using var client = await host.BeginAsync();
        for (var n = 0; n < 10; n++) await client.SayStartAsync($"RCPT TO:<{localPart}@example.net>", reply);
        await client.SayStartAsync("DATA", "354 ");
    }

    [Fact]
    public async Task A_line_too_long_is_500_and_the_session_goes_on()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        await using var client = await host.ConnectAsync();
        await client.SendAsync("NOOP " + new string('x', 64 << 10), "NOOP");
        await client.ExpectStartAsync("500 5.5.2 ");
        await client.ExpectAsync("250 2.0.0 Ok");
    }

    [Fact]
    public async Task A_bare_LF_ends_no_command()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        await using var client = await host.ConnectAsync();
        await client.SendRawAsync("NOOP\nQUIT\r\nVRFY x\r\n");
        await client.ExpectStartAsync("500 5.5.2 ");
        await client.ExpectStartAsync("252 ");
    }

    [Fact]
    public async Task Connections_past_the_limit_are_told_421()
    {
        await using var host = await SmtpListenerHost.StartAsync(options => options.MaxConnectionsPerNetwork = 1);
        await using (var first = await host.ConnectAsync())
        {
            await using var second = await Transcript.ConnectAsync(host.Port);
            await second.ExpectStartAsync("421 4.7.0 ");
            await second.ExpectClosedAsync();
            await first.SayAsync("QUIT", "221 2.0.0 Bye");
            await first.ExpectClosedAsync();
        }
        await using var third = await host.ConnectAsync();
    }

    // Lets time pass until something has happened: when the server began to wait is not known here.
    private static async Task PassAsync(FakeTimeProvider time, Task happens)
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (!happens.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(10));
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, deadline.Token);
        }
        await happens;
    }
}
