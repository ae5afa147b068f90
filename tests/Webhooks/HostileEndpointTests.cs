using System.IO.Compression;
using System.Text;
using MoxApi.Tests.Peers;
using MoxApi.Webhooks.Dispatch;
using MoxApi.Webhooks.Posting;
using Xunit;

namespace MoxApi.Tests.Webhooks;

/// <summary>Endpoints that answer slowly, without end, or too much.</summary>
public sealed class HostileEndpointTests : WebhookSending
{
    [Fact]
    public async Task A_compressed_answer_is_not_unpacked()
    {
        using var bomb = new MemoryStream();
        using (var zip = new GZipStream(bomb, CompressionLevel.SmallestSize, leaveOpen: true)) zip.Write(new byte[20 << 20]);
        Receiver.Answer = async context =>
        {
            context.Response.StatusCode = 500;
            context.Response.Headers.ContentEncoding = "gzip";
            await context.Response.Body.WriteAsync(bomb.ToArray());
        };
        var result = await PostAsync(Receiver.Url);

        Assert.Equal(500, result.Status);
        Assert.DoesNotContain(Receiver.Received.Single().Headers.Keys, name => name.Equals("Accept-Encoding", StringComparison.OrdinalIgnoreCase));
        Assert.True(result.Error!.Length <= 400);
    }

    [Fact]
    public async Task A_bomb_is_kept_packed_and_no_more_of_it_than_64_KiB()
    {
        using var bomb = new MemoryStream();
        using (var zip = new GZipStream(bomb, CompressionLevel.Fastest, leaveOpen: true)) zip.Write(new byte[32 << 20]);
        Receiver.Answer = async context =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            await context.Response.Body.WriteAsync(bomb.ToArray());
        };
        var result = await PostAsync(Receiver.Url);

        Assert.True(bomb.Length > 64 << 10);
        Assert.True(result.Succeeded);
        Assert.Equal(bomb.ToArray()[..(64 << 10)], result.ResponseBody);
        Assert.Contains("\"Content-Encoding\":\"gzip\"", result.ResponseHeaders, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_success_whose_text_drips_is_a_success_after_two_seconds_and_not_a_quick_one()
    {
        var result = await PostToDripAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok");

        Assert.True(result.Succeeded);
        Assert.Equal("ok"u8.ToArray(), result.ResponseBody);
        Assert.True(result.Duration >= EndpointLane.Quick);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")]
    [InlineData("HTTP/1.1 500 No\r\n\r\n")]
    public async Task An_answer_without_end_is_hung_up_on(string header)
    {
        await using var peer = new RawHttpPeer(async (stream, stop) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(header), stop);
            while (true) await stream.WriteAsync(new byte[64 << 10], stop);
        });
        var result = await PostAsync(peer.Url).WaitAsync(Patience);

        Assert.Equal(header.Contains("200", StringComparison.Ordinal), result.Succeeded);
        await Assert.ThrowsAsync<IOException>(() => peer.Ended.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_header_without_end_is_a_failure()
    {
        await using var peer = new RawHttpPeer(async (stream, stop) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\n"u8.ToArray(), stop);
            while (true) await stream.WriteAsync("X-More: and more and more and more and more\r\n"u8.ToArray(), stop);
        });
        var result = await PostAsync(peer.Url).WaitAsync(Patience);

        Assert.Null(result.Status);
        Assert.NotNull(result.Error);
    }

    [Fact]
    public async Task An_endpoint_that_does_not_answer_costs_fifteen_seconds()
    {
        Receiver.Answer = context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        var posting = PostAsync(Receiver.Url);
        await Receiver.ArrivedAsync();

        Clock.Advance(TimeSpan.FromSeconds(14.9));
        Assert.False(posting.IsCompleted);
        Clock.Advance(TimeSpan.FromSeconds(0.2));
        var result = await posting.WaitAsync(Patience);
        Assert.Null(result.Status);
        Assert.Equal("No answer within 15 seconds.", result.Error);
        Assert.Equal(15.1, result.Duration.TotalSeconds, 3);
    }

    [Fact]
    public async Task Drops_of_a_header_do_not_buy_time()
    {
        await using var peer = new RawHttpPeer(async (stream, stop) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nX-Slow: "u8.ToArray(), stop);
            while (true)
            {
                await stream.WriteAsync("."u8.ToArray(), stop);
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, stop);
            }
        });
        var posting = PostAsync(peer.Url);
        await peer.Asked.Task.WaitAsync(Patience);

        Clock.Advance(WebhookSender.Deadline);
        Assert.Equal("No answer within 15 seconds.", (await posting.WaitAsync(Patience)).Error);
    }

    [Fact]
    public async Task A_failure_whose_text_drips_is_told_with_what_came()
    {
        var result = await PostToDripAsync("HTTP/1.1 503 No\r\nContent-Length: 100\r\n\r\nbusy");

        Assert.Equal((503, "The endpoint answered 503: busy"), (result.Status, result.Error));
    }

    [Fact]
    public async Task Stopping_leaves_the_call_undecided()
    {
        Receiver.Answer = context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        using var stop = new CancellationTokenSource();
        var posting = PostAsync(Receiver.Url, stop: stop.Token);
        await Receiver.ArrivedAsync();
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => posting.WaitAsync(Patience));
    }

    // The answer begins, and never ends.
    private async Task<PostResult> PostToDripAsync(string beginning)
    {
        await using var peer = new RawHttpPeer(async (stream, stop) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(beginning), stop);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        });
        var posting = PostAsync(peer.Url);
        await peer.Asked.Task.WaitAsync(Patience);
        await AdvanceUntilDoneAsync(posting);
        return await posting.WaitAsync(Patience);
    }
}
