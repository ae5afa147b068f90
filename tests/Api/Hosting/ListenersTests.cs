using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MoxApi.Api;
using MoxApi.Api.Hosting;
using Xunit;

namespace MoxApi.Tests.Api.Hosting;

public class ListenersTests
{
    [Fact]
    public async Task Connections_past_the_limit_are_closed_and_those_that_end_make_room()
    {
        await using var app = await StartAsync(new Settings { DataFolder = "/", Listeners = new() { Http = ["127.0.0.1:0"] }, Api = new ApiOptions { MaxConnections = 1 } });
        using (var first = new TcpClient())
        {
            Assert.StartsWith("HTTP/1.1 200", await AskAsync(app, first), StringComparison.Ordinal);
            using var second = new TcpClient();
            Assert.Equal("", await AskAsync(app, second));
        }
        await Eventually.HoldsAsync(
            async () =>
            {
                using var third = new TcpClient();
                return await AskAsync(app, third) != "";
            },
            "room");
    }

    [Fact]
    public async Task A_request_knows_whether_it_came_to_the_listener_for_metrics()
    {
        await using var app = await StartAsync(new Settings { DataFolder = "/", Listeners = new() { Http = ["127.0.0.1:0"], Metrics = ["127.0.0.1:0"] } });
        using var client = new HttpClient();

        Assert.Equal("False", await client.GetStringAsync($"http://{Address(app, 0)}"));
        Assert.Equal("True", await client.GetStringAsync($"http://{Address(app, 1)}"));
    }

    [Theory]
    [InlineData("", "198.51.100.7", "127.0.0.1 http")]
    [InlineData("10.0.0.0/8", "198.51.100.7", "127.0.0.1 http")]
    [InlineData("127.0.0.0/8", "198.51.100.7", "198.51.100.7 https")]
    [InlineData("127.0.0.0/8", "203.0.113.9, 198.51.100.7", "198.51.100.7 https")] // What the client wrote itself is not believed.
    [InlineData("127.0.0.0/8 192.0.2.0/24", "203.0.113.9, 198.51.100.7, 192.0.2.1", "198.51.100.7 https")]
    [InlineData("127.0.0.0/8", "2001:db8::7", "2001:db8::7 https")]
    public async Task Only_trusted_proxies_say_for_whom_they_ask(string trusted, string forwardedFor, string client)
    {
        var settings = new Settings { DataFolder = "/", Listeners = new() { Http = ["127.0.0.1:0"] }, TrustedProxies = trusted.Split(' ', StringSplitOptions.RemoveEmptyEntries) };
        await using var app = await StartAsync(settings, context => context.Response.WriteAsync($"{context.Connection.RemoteIpAddress} {context.Request.Scheme}"));
        using var http = new HttpClient { DefaultRequestHeaders = { { "X-Forwarded-For", forwardedFor }, { "X-Forwarded-Proto", "https" } } };

        Assert.Equal(client, await http.GetStringAsync($"http://{Address(app, 0)}"));
    }

    private static async Task<WebApplication> StartAsync(Settings settings, RequestDelegate? answer = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(settings));
        var app = builder.Build();
        app.UseTrustedProxies(settings);
        app.Run(answer ?? (context => context.Response.WriteAsync($"{Listeners.IsForMetrics(context)}")));
        await app.StartAsync();
        return app;
    }

    private static string Address(WebApplication app, int number) =>
        new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ElementAt(number)).Authority;

    // The first line of the answer; none where the connection was closed.
    private static async Task<string> AskAsync(WebApplication app, TcpClient client)
    {
        try
        {
            await client.ConnectAsync(IPEndPoint.Parse(Address(app, 0)));
            await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray());
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
