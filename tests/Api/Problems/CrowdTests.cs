using System.Net.Sockets;
using MoxApi.Api;
using Xunit;

namespace MoxApi.Tests.Api.Problems;

public class CrowdTests
{
    [Fact]
    public async Task Connections_past_the_limit_are_refused_or_closed_and_those_that_end_make_room()
    {
        await using var host = new ApiHost(new ApiOptions { MaxConnections = 1 });
        await host.InitializeAsync();
        using (var served = new TcpClient())
        using (var refused = new TcpClient())
        {
            Assert.StartsWith("HTTP/1.1 401", await AskAsync(host, served), StringComparison.Ordinal);
            var answer = await AskAsync(host, refused);
            Assert.StartsWith("HTTP/1.1 503", answer, StringComparison.Ordinal);
            Assert.Contains("\r\nRetry-After: 10", answer);
            Assert.Contains("\r\nConnection: close", answer);
            Assert.Contains("\"code\":\"unavailable\"", answer);
        }
        await Eventually.HoldsAsync(
            async () =>
            {
                using var next = new TcpClient();
                return (await AskAsync(host, next)).StartsWith("HTTP/1.1 401", StringComparison.Ordinal);
            },
            "room");
    }

    [Fact]
    public async Task Far_more_connections_than_the_limit_are_closed_without_an_answer()
    {
        await using var host = new ApiHost(new ApiOptions { MaxConnections = 1 });
        await host.InitializeAsync();
        using var served = new TcpClient();
        using var idle = new TcpClient();
        Assert.StartsWith("HTTP/1.1 401", await AskAsync(host, served), StringComparison.Ordinal);
        await idle.ConnectAsync(host.Client.BaseAddress!.Host, host.Client.BaseAddress.Port);
        await Eventually.HoldsAsync(
            async () =>
            {
                using var closed = new TcpClient();
                return await AskAsync(host, closed) == "";
            },
            "no room to be refused in");
    }

    // What comes first of the answer; nothing where the connection was closed.
    private static async Task<string> AskAsync(ApiHost host, TcpClient client)
    {
        try
        {
            await client.ConnectAsync(host.Client.BaseAddress!.Host, host.Client.BaseAddress.Port);
            await client.GetStream().WriteAsync("GET /v1/messages HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray());
            var octets = new byte[4096];
            var count = await client.GetStream().ReadAsync(octets).AsTask().WaitAsync(Eventually.Patience);
            return System.Text.Encoding.ASCII.GetString(octets, 0, count);
        }
        catch (Exception closed) when (closed is IOException or SocketException)
        {
            return ""; // A reset.
        }
    }
}
