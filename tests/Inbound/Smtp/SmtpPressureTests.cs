using MoxApi.Migrations.Writing;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Inbound.Smtp;

/// <summary>What the listener says when something runs out: 452, 451, and the session goes on.</summary>
public class SmtpPressureTests
{
    private static readonly string Line = new string('x', 998) + "\r\n";

    [Fact]
    public async Task A_message_announced_as_larger_than_the_room_left_is_452_at_MAIL()
    {
        var inFlight = new BytesInFlight(100_000); // In a file, where an eighth counts.
        await using var host = await SmtpListenerHost.StartAsync(inFlight: inFlight);
        await using var client = await host.ConnectAsync();
        await client.SayStartAsync("EHLO a", "250 ");
        await client.SayStartAsync("MAIL FROM:<jane@example.org> SIZE=2000000", "452 4.3.1 ");
        await client.SayStartAsync("MAIL FROM:<jane@example.org> SIZE=500000", "250 ");
    }

    [Fact]
    public async Task While_there_is_no_room_DATA_is_452_and_later_taken()
    {
        var inFlight = new BytesInFlight(1 << 20);
        await using var host = await SmtpListenerHost.StartAsync(inFlight: inFlight);
        await using var client = await host.BeginAsync();
        using (var others = inFlight.Open())
        {
            others.Keep(1 << 20, 0);
            await client.SayStartAsync("DATA", "452 4.3.1 ");
        }
        await client.SayStartAsync("DATA", "354 ");
        await client.SayStartAsync(".", "250 ");
        Assert.Equal(0, inFlight.Taken);
    }

    [Fact]
    public async Task A_message_that_outgrows_the_room_is_read_to_its_end_and_452()
    {
        var inFlight = new BytesInFlight(66_000);
        await using var host = await SmtpListenerHost.StartAsync(inFlight: inFlight);
        await using var client = await host.BeginAsync();
        await client.SayStartAsync("DATA", "354 ");
        await client.SendRawAsync(string.Concat(Enumerable.Repeat(Line, 600)));
        await client.SayStartAsync("\r\n.", "452 4.3.1 ");
        await client.SayAsync("NOOP", "250 2.0.0 Ok");
        Assert.False(host.Backend.HasReceived);
        Assert.Equal(0, inFlight.Taken);
    }

    [Fact]
    public async Task What_breaks_in_the_middle_of_a_message_closes_the_connection_and_the_rest_is_no_command()
    {
        // No path has such a character, which nothing here expects.
        await using var host = await SmtpListenerHost.StartAsync(options => options.SpoolFolder = "/tmp/\0");
        await using var client = await host.BeginAsync();
        await client.SayStartAsync("DATA", "354 ");
        await client.SendRawAsync(string.Concat(Enumerable.Repeat(Line, 100)));
        await client.ExpectStartAsync("421 4.3.0 ");
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task What_a_client_that_leaves_has_sent_is_given_back()
    {
        var inFlight = new BytesInFlight();
        await using var host = await SmtpListenerHost.StartAsync(inFlight: inFlight);
        await using (var client = await host.BeginAsync())
        {
            await client.SayStartAsync("DATA", "354 ");
            await client.SendRawAsync(Line);
            await Eventually.HoldsAsync(() => Task.FromResult(inFlight.Taken > 0), "the line to be counted");
        }
        await Eventually.HoldsAsync(() => Task.FromResult(inFlight.Taken == 0), "the line to be given back");
    }

    [Theory]
    [InlineData("53100", "452 4.3.1 ")]
    [InlineData("53300", "452 4.3.1 ")]
    [InlineData("57P03", "451 4.3.0 ")]
    [InlineData("XX000", "451 4.3.0 ")]
    public async Task What_PostgreSQL_lacks_decides_the_reply(string state, string reply)
    {
        await using var host = await SmtpListenerHost.StartAsync();
        host.Backend.Storing = _ => throw new PostgresException("A test's fault.", "ERROR", "ERROR", state);
        await using var client = await host.BeginAsync();
        await client.SayStartAsync("DATA", "354 ");
        await client.SayStartAsync(".", reply);
        await client.SayAsync("NOOP", "250 2.0.0 Ok");
    }

    [Fact]
    public async Task A_disk_that_is_full_when_the_message_is_stored_is_452()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        host.Backend.Storing = _ => throw new IOException("No space left on device");
        await using var client = await host.BeginAsync();
        await client.SayStartAsync("DATA", "354 ");
        await client.SayStartAsync(".", "452 4.3.1 ");
    }
}
