using System.Net.Sockets;
using System.Text;
using MoxApi.Tests.Mail.Smtp;
using Xunit;

namespace MoxApi.Tests.Inbound.Smtp;

public class SmtpDataTests
{
    public static TheoryData<string> Smuggling => [.. DataDecoderTests.Smuggling.Select(row => row.Data.Item1)];

    [Theory]
    [MemberData(nameof(Smuggling))]
    public async Task Data_with_a_smuggled_end_is_refused_and_the_session_stays_in_sync(string form)
    {
        await using var host = await SmtpListenerHost.StartAsync();
        await using var client = await host.BeginAsync();
        await client.SayStartAsync("DATA", "354 ");
        await client.SendRawAsync($"one{form}MAIL FROM:<evil@example.org>\r\nRCPT TO:<sam@example.net>\r\nDATA\r\ntwo\r\n.\r\n");
        await client.ExpectStartAsync("554 5.6.0 ");
        // The next command is the next command: had the session seen another end, there would be other replies before.
        await client.SayStartAsync("VRFY sync", "252 ");
        Assert.False(host.Backend.HasReceived);
    }

    [Fact]
    public async Task A_bare_LF_is_repaired_or_refused_where_the_listener_is_pedantic()
    {
        await using (var host = await SmtpListenerHost.StartAsync())
        {
            await using var client = await host.BeginAsync();
            await client.SayStartAsync("DATA", "354 ");
            await client.SayStartAsync("a\nb\r\n.", "250 ");
            Assert.Equal("a\r\nb\r\n"u8.ToArray(), (await host.Backend.NextAsync()).Octets);
        }
        await using (var host = await SmtpListenerHost.StartAsync(options => options.Pedantic = true))
        {
            await using var client = await host.BeginAsync();
            await client.SayStartAsync("DATA", "354 ");
            await client.SayStartAsync("a\nb\r\n.", "554 5.6.0 ");
            await client.SayStartAsync("VRFY sync", "252 ");
        }
    }

    [Fact]
    public async Task A_message_of_exactly_the_limit_is_taken_and_one_octet_more_is_not()
    {
        await using var host = await SmtpListenerHost.StartAsync(options => options.MaxMessageOctets = 65_536);
        await using var client = await host.BeginAsync();
        await client.SayStartAsync("DATA", "354 ");
        await client.SayStartAsync(new string('x', 65_534) + "\r\n.", "250 ");
        Assert.Equal(65_536, (await host.Backend.NextAsync()).Octets.Length);

        await client.SendAsync("MAIL FROM:<jane@example.org>", "RCPT TO:<sam@example.net>", "DATA", new string('x', 65_535), ".");
        foreach (var reply in new[] { "250 ", "250 ", "354 ", "552 5.3.4 " }) await client.ExpectStartAsync(reply);
        await client.SayStartAsync("VRFY sync", "252 ");
        Assert.False(host.Backend.HasReceived);
    }

    [Fact]
    public async Task A_message_announced_as_too_long_is_refused_at_MAIL()
    {
        await using var host = await SmtpListenerHost.StartAsync(options => options.MaxMessageOctets = 65_536);
        await using var client = await host.ConnectAsync();
        await client.SayStartAsync("EHLO a", "250 ");
        await client.SayStartAsync("MAIL FROM:<jane@example.org> SIZE=65537", "552 5.3.4 ");
        await client.SayStartAsync("MAIL FROM:<jane@example.org> SIZE=65536", "250 ");
    }

    [Fact]
    public async Task Throwing_away_has_an_end()
    {
        await using var host = await SmtpListenerHost.StartAsync(options => options.MaxMessageOctets = 65_536);
        await using var client = await host.BeginAsync();
        await client.SayStartAsync("DATA", "354 ");
        var flood = Task.Run(async () =>
        {
            var piece = string.Concat(Enumerable.Repeat(new string('x', 998) + "\r\n", 100));
            try
            {
                while (true) await client.SendRawAsync(piece);
            }
            catch (SocketException)
            {
                // The server closed.
            }
        });
        var said = await client.ToEndAsync();
        await flood.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(said is [] or [['4', '2', '1', ..]], string.Join('\n', said)); // A reset may overtake the reply.
        Assert.False(host.Backend.HasReceived);
    }

    [Fact]
    public async Task A_large_message_goes_through_a_file_that_is_gone_afterwards()
    {
        var folder = Directory.CreateTempSubdirectory("moxapi-test-");
        try
        {
            await using var host = await SmtpListenerHost.StartAsync(options => options.SpoolFolder = folder.FullName);
            await using var client = await host.BeginAsync();
            await client.SayStartAsync("DATA", "354 ");
            var lines = string.Concat(Enumerable.Range(0, 40_000).Select(n => $".{n} and some text to fill the line\r\n"));
            var sent = client.SendRawAsync(lines.Replace("\r\n.", "\r\n..", StringComparison.Ordinal).Insert(0, ".") + ".\r\n");
            await client.ExpectStartAsync("250 ");
            await sent;
            var received = await host.Backend.NextAsync();
            Assert.True(received.WasOnDisk);
            Assert.Equal(lines, Encoding.Latin1.GetString(received.Octets));
            Assert.Empty(folder.EnumerateFileSystemInfos());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Where_the_disk_takes_nothing_a_large_message_is_452_and_a_small_one_goes_on()
    {
        await using var host = await SmtpListenerHost.StartAsync(options => options.SpoolFolder = "/nonexistent/folder");
        await using var client = await host.BeginAsync();
        await client.SayStartAsync("DATA", "354 ");
        await client.SayStartAsync(new string('x', 200_000) + "\r\n.", "452 4.3.1 ");
        await client.SendAsync("MAIL FROM:<jane@example.org>", "RCPT TO:<sam@example.net>", "DATA", "x", ".");
        foreach (var reply in new[] { "250 ", "250 ", "354 ", "250 " }) await client.ExpectStartAsync(reply);
    }

    [Fact]
    public async Task A_message_without_its_end_is_not_stored()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        await using (var client = await host.BeginAsync())
        {
            await client.SayStartAsync("DATA", "354 ");
            await client.SendRawAsync("half a message\r\n.");
            client.EndSending();
            await client.ExpectClosedAsync();
        }
        Assert.False(host.Backend.HasReceived);
        Assert.Equal(0, host.Backend.Open);
    }

    [Fact]
    public async Task A_message_is_stored_although_the_client_left_after_the_final_dot()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        var storing = new TaskCompletionSource();
        var left = new TaskCompletionSource();
        host.Backend.Storing = async cancel =>
        {
            storing.SetResult();
            await left.Task.WaitAsync(cancel);
        };
        await using (var client = await host.BeginAsync())
        {
            await client.SayStartAsync("DATA", "354 ");
            await client.SendAsync("x", ".");
            await storing.Task.WaitAsync(TimeSpan.FromSeconds(30));
        }
        left.SetResult();
        Assert.Equal("x\r\n"u8.ToArray(), (await host.Backend.NextAsync()).Octets);
    }
}
