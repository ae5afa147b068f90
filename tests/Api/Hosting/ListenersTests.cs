using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MoxApi.Api.Hosting;
using Xunit;

namespace MoxApi.Tests.Api.Hosting;

public class ListenersTests
{
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
}
