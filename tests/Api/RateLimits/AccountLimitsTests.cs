using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using MoxApi.Api;
using MoxApi.Api.Access;
using MoxApi.Api.RateLimits;
using Xunit;

namespace MoxApi.Tests.Api.RateLimits;

public class AccountLimitsTests
{
    [Fact]
    public async Task Every_answer_says_what_is_left()
    {
        await using var host = await StartAsync(new ApiOptions { RequestsPerSecond = 1, Burst = 100 });

        foreach (var path in new[] { "/v1/messages/msg_1", "/v1/messages/msg_2", "/v1/messages?limit=x" })
        {
            var answer = await host.GetAsync(path);
            Assert.Equal("\"requests\";q=100;w=100", answer.Headers.GetValues("RateLimit-Policy").Single());
            Assert.Matches("^\"requests\";r=9[0-9];t=[0-9]+$", answer.Headers.GetValues("RateLimit").Single());
        }
        // Also those that begin as something else and end as a problem document.
        host.Account.NextSend = new InvalidOperationException("A test's fault.");
        var failed = await host.PostAsync("/v1/messages", """{"to": ["jane@example.org"], "text": "Hi"}""");
        Assert.Equal(500, failed.Status);
        Assert.NotEmpty(failed.Headers.GetValues("RateLimit"));
    }

    [Fact]
    public async Task Past_the_burst_it_is_429_with_Retry_After_until_time_has_passed()
    {
        await using var host = await StartAsync(new ApiOptions { RequestsPerSecond = 1, Burst = 3 });

        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => host.GetAsync("/v1/messages/msg_1")));

        Assert.Contains(answers, answer => answer.Status == 200);
        var refused = answers.First(answer => answer.Status == 429);
        Assert.Equal("rate_limited", refused.Code);
        Assert.True(refused.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1));
        Assert.StartsWith("\"requests\";r=0;", refused.Headers.GetValues("RateLimit").Single(), StringComparison.Ordinal);
        await Eventually.HoldsAsync(async () => (await host.GetAsync("/v1/messages/msg_1")).Status == 200, "a token");
    }

    [Fact]
    public async Task One_account_does_not_use_up_anothers_requests()
    {
        await using var host = await StartAsync(new ApiOptions { RequestsPerSecond = 1, Burst = 1 });
        await Eventually.HoldsAsync(async () => (await host.GetAsync("/v1/messages/msg_1")).Status == 429, "the limit");

        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/messages/msg_1") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", ApiHost.OtherKey) } };
        Assert.Equal(200, (await host.SendAsync(request)).Status);
    }

    [Fact]
    public async Task So_many_requests_of_an_account_run_at_once_and_no_more()
    {
        await using var host = await StartAsync(new ApiOptions { MaxConcurrentRequests = 1 });
        using (var slow = await BeginSendAsync(host))
        {
            Assert.True(await host.GetAsync("/v1/messages/msg_1") is { Status: 429, Code: "rate_limited", Headers.RetryAfter: not null });
        }
        await Eventually.HoldsAsync(async () => (await host.GetAsync("/v1/messages/msg_1")).Status == 200, "the request that ran to be forgotten");
    }

    [Fact]
    public async Task What_has_long_been_running_still_has_its_place()
    {
        var clock = new FakeTimeProvider();
        var limits = new AccountLimits(Options.Create(new ApiOptions { RequestsPerSecond = 0, MaxConcurrentRequests = 1 }), clock);
        var end = new TaskCompletionSource();

        var running = limits.InvokeAsync(Request(1), _ => end.Task);
        clock.Advance(TimeSpan.FromHours(1));
        // Whoever comes after a minute has the idle forgotten.
        Assert.Equal(200, await StatusAsync(limits, 2));
        Assert.Equal(429, await StatusAsync(limits, 1));

        end.SetResult();
        await running;
        Assert.Equal(200, await StatusAsync(limits, 1));
    }

    [Fact]
    public async Task What_an_account_used_up_is_not_forgotten_while_it_is_not_back()
    {
        var clock = new FakeTimeProvider();
        // At a token a second, fifty are not back before this test ends.
        var limits = new AccountLimits(Options.Create(new ApiOptions { RequestsPerSecond = 1, Burst = 50, MaxConcurrentRequests = 1 }), clock);
        var used = 0;
        while (await StatusAsync(limits, 1) == 200) used++;

        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(200, await StatusAsync(limits, 2));

        var left = 0;
        while (await StatusAsync(limits, 1) == 200) left++;
        Assert.True(left < used, $"{used} requests were let through, and then {left} more.");
    }

    [Fact]
    public async Task Without_limits_nothing_is_said()
    {
        await using var host = await StartAsync(new ApiOptions { RequestsPerSecond = 0, MaxConcurrentRequests = 0, Burst = 1 });

        foreach (var answer in new[] { await host.GetAsync("/v1/messages/msg_1"), await host.GetAsync("/v1/messages/msg_1") })
        {
            Assert.Equal(200, answer.Status);
            Assert.False(answer.Headers.Contains("RateLimit"));
        }
    }

    private static DefaultHttpContext Request(long account)
    {
        var context = new DefaultHttpContext { RequestServices = new ServiceCollection().AddLogging().BuildServiceProvider(), Response = { Body = new MemoryStream() } };
        context.Features.Set(new Caller(account, new HashSet<string>()));
        return context;
    }

    private static async Task<int> StatusAsync(AccountLimits limits, long account)
    {
        var context = Request(account);
        await limits.InvokeAsync(context, _ => Task.CompletedTask);
        return context.Response.StatusCode;
    }

    private static async Task<ApiHost> StartAsync(ApiOptions options)
    {
        var host = new ApiHost(options);
        await host.InitializeAsync();
        return host;
    }

    // Half a request: the rest never comes. It runs when it is told to continue, which is when its body is asked for (RFC 9110 §10.1.1).
    private static async Task<TcpClient> BeginSendAsync(ApiHost host)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPEndPoint.Parse(host.Client.BaseAddress!.Authority));
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ApiHost.Key}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"));
        var answer = new byte[12];
        await client.GetStream().ReadExactlyAsync(answer).AsTask().WaitAsync(Eventually.Patience);
        Assert.Equal("HTTP/1.1 100"u8, answer);
        return client;
    }
}
