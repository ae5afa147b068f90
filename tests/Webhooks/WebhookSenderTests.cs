using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MoxApi.Webhooks.Signing;
using Xunit;

namespace MoxApi.Tests.Webhooks;

/// <summary>What is sent, and what becomes of the answer.</summary>
public sealed class WebhookSenderTests : WebhookSending
{
    [Fact]
    public async Task The_event_arrives_signed_and_as_it_was()
    {
        var result = await PostAsync(Receiver.Url);

        Assert.True(result.Succeeded);
        Assert.Null(result.Error);
        var had = Assert.Single(Receiver.Received);
        Assert.Equal("/hook", had.Path);
        Assert.Equal("""{"hello":"wörld"}"""u8.ToArray(), had.Body);
        Assert.Equal("evt_1", had.Id);
        Assert.Equal("1795341600", had.Headers["webhook-timestamp"]);
        Assert.Equal("application/json", had.Headers["Content-Type"]);
        Assert.Matches(@"^MoxApi/\d+\.\d+\.\d+ \(webhook\)$", had.Headers["User-Agent"]);
        Assert.Equal(WebhookVerdict.Authentic, had.Verify(Secret, Clock.GetUtcNow()));
    }

    [Fact]
    public async Task Nothing_is_sent_that_the_endpoint_has_no_use_for()
    {
        using var activity = new System.Diagnostics.Activity("test").Start();
        await PostAsync(Receiver.Url);

        Assert.Equal(
            ["Content-Length", "Content-Type", "Host", "User-Agent", "webhook-id", "webhook-signature", "webhook-timestamp"],
            Receiver.Received.Single().Headers.Keys.Order(StringComparer.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_cookie_is_not_sent_back()
    {
        Receiver.Answer = context =>
        {
            context.Response.Cookies.Append("visitor", "1");
            return Task.CompletedTask;
        };
        await PostAsync(Receiver.Url);
        await PostAsync(Receiver.Url);

        Assert.Equal(2, Receiver.Received.Length);
        Assert.DoesNotContain("Cookie", Receiver.Received[1].Headers.Keys);
    }

    [Fact]
    public async Task A_proxy_of_the_environment_is_not_asked()
    {
        // For this name alone: it is the whole process's.
        const string Host = "not-through-a-proxy.example";
        var (before, proxy) = (HttpClient.DefaultProxy, new ProxyFor(Host));
        HttpClient.DefaultProxy = proxy;
        try
        {
            Assert.True((await PostAsync(new($"http://{Host}:{Receiver.Url.Port}/hook"))).Succeeded);
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }

        Assert.Equal(0, proxy.Asked);
        Assert.Equal([Host], Resolved);
    }

    [Fact]
    public async Task A_connection_is_used_again_whatever_the_answer_said()
    {
        Receiver.Answer = context => context.Response.WriteAsync(new string('x', 5000));
        await PostAsync(Receiver.Url);
        await PostAsync(Receiver.Url);

        Assert.Single(Receiver.Received.Select(r => r.Connection).Distinct());
    }

    [Fact]
    public async Task An_answer_outside_2xx_is_a_failure_told_with_its_beginning()
    {
        Receiver.Answer = context =>
        {
            context.Response.StatusCode = 500;
            return context.Response.WriteAsync("database\r\nis \0down \u001b[31m " + new string('x', 50_000));
        };
        var result = await PostAsync(Receiver.Url);

        Assert.False(result.Succeeded);
        Assert.Equal(500, result.Status);
        Assert.StartsWith("The endpoint answered 500: database  is  down  [31m xxx", result.Error, StringComparison.Ordinal);
        Assert.True(result.Error!.Length <= 400);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_a_failure_and_not_followed(int status)
    {
        Receiver.Answer = context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = "/elsewhere";
            return Task.CompletedTask;
        };
        var result = await PostAsync(Receiver.Url);

        Assert.Equal((status, false), (result.Status!.Value, result.Succeeded));
        Assert.Single(Receiver.Received);
    }

    [Fact]
    public async Task What_was_said_on_both_sides_is_told()
    {
        Receiver.Answer = context =>
        {
            context.Response.Headers.Append("X-Trace", new(["one", "two"]));
            context.Response.ContentType = "text/plain";
            return context.Response.WriteAsync("thank you ☺");
        };
        var result = await PostAsync(Receiver.Url);

        var sent = JsonSerializer.Deserialize<Dictionary<string, string>>(result.RequestHeaders!)!;
        Assert.Equal(Receiver.Received.Single().Headers.OrderBy(h => h.Key, StringComparer.OrdinalIgnoreCase), sent.OrderBy(h => h.Key, StringComparer.OrdinalIgnoreCase));
        var had = JsonSerializer.Deserialize<Dictionary<string, string>>(result.ResponseHeaders!)!;
        Assert.Equal(("one, two", "text/plain"), (had["X-Trace"], had["Content-Type"]));
        Assert.Equal("thank you ☺"u8.ToArray(), result.ResponseBody);
    }

    [Fact]
    public async Task Gone_is_told_apart()
    {
        Receiver.Answer = context =>
        {
            context.Response.StatusCode = 410;
            return Task.CompletedTask;
        };
        var result = await PostAsync(Receiver.Url);

        Assert.True(result.IsGone);
        Assert.False(result.Succeeded);
        Assert.Equal("The endpoint answered 410", result.Error);
    }

    [Theory]
    [InlineData(429, "120", 120)]
    [InlineData(503, "120", 120)]
    [InlineData(429, "Sun, 22 Nov 2026 10:05:00 GMT", 300)]
    [InlineData(429, "Sun, 22 Nov 2026 09:00:00 GMT", null)]
    [InlineData(429, "soon", null)]
    [InlineData(429, "-5", null)]
    [InlineData(502, "120", 120)]
    [InlineData(504, "120", 120)]
    [InlineData(500, "120", null)]
    public async Task Retry_after_is_read_where_it_means_something(int status, string header, int? seconds)
    {
        Receiver.Answer = context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.RetryAfter = header;
            return Task.CompletedTask;
        };

        Assert.Equal(seconds, (int?)(await PostAsync(Receiver.Url)).RetryAfter?.TotalSeconds);
    }

    private sealed class ProxyFor(string host) : IWebProxy
    {
        public int Asked { get; private set; }

        public ICredentials? Credentials { get; set; }

        public Uri? GetProxy(Uri destination)
        {
            Asked++;
            return null;
        }

        public bool IsBypassed(Uri hostUri) => hostUri.Host != host;
    }
}
