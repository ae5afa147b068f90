using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using MoxApi.Api;
using MoxApi.Migrations.Writing;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Api;

/// <summary>What the API says when it runs out of something: 503, and when to come back.</summary>
public class PressureTests
{
    private static readonly string Large = $$"""{"to": ["jane@example.org"], "text": "Hi", "attachments": [{"filename": "a", "content": "{{Convert.ToBase64String(new byte[900_000])}}"}]}""";

    [Fact]
    public async Task Too_many_octets_in_flight_are_503_and_given_back()
    {
        await using var host = await StartAsync(1 << 20);
        using (var others = host.InFlight.Open())
        {
            others.Keep((1 << 20) - 50_000, 0);
            // Once by what is announced, once by what comes.
            Assert.Equal((503, "unavailable", true), await SendAsync(host, Request(Large, chunked: false)));
            Assert.Equal((503, "unavailable", true), await SendAsync(host, Request(Large, chunked: true)));
            Assert.Equal((503, "unavailable", true), await SendAsync(host, Form()));
            Assert.Equal((1 << 20) - 50_000, host.InFlight.Taken);
        }
        Assert.Equal(202, (await SendAsync(host, Request(Large, chunked: true))).Status);
        Assert.Equal(202, (await SendAsync(host, Form())).Status);
        await Eventually.HoldsAsync(() => Task.FromResult(host.InFlight.Taken == 0), "what was taken to be given back");
    }

    [Theory]
    [InlineData("/v1/messages", "application/json")]
    [InlineData("/v1/messages", "multipart/form-data; boundary=a")]
    [InlineData("/v1/messages/batch", "application/json")]
    public async Task What_is_announced_as_larger_than_any_request_is_413_however_little_room_there_is(string path, string type)
    {
        await using var host = await StartAsync(1000);
        Assert.Equal("413", await AnnounceAsync(host, path, type, 70 * 1024 * 1024 + 1));
        Assert.Equal("503", await AnnounceAsync(host, path, type, 70 * 1024 * 1024));
    }

    [Fact]
    public async Task What_is_announced_as_larger_than_the_room_left_is_503_before_it_comes()
    {
        await using var host = await StartAsync(1000);
        Assert.Equal("503", await AnnounceAsync(host, "/v1/messages", "application/json", 100_000));
    }

    [Fact]
    public async Task What_is_not_in_a_file_counts_too()
    {
        await using var host = await StartAsync(100_000);
        var answer = await host.SendAsync(Request($$"""{"to": ["jane@example.org"], "text": "{{new string('x', 200_000)}}"}""", chunked: true));

        Assert.Equal((503, "unavailable"), (answer.Status, answer.Code));
        await Eventually.HoldsAsync(() => Task.FromResult(host.InFlight.Taken == 0), "what was taken to be given back");
    }

    [Fact]
    public async Task A_disk_that_cannot_be_written_is_503()
    {
        await using var host = new ApiHost(new ApiOptions { SpoolFolder = "/nonexistent/folder" });
        await host.InitializeAsync();

        Assert.Equal((503, "unavailable", true), await SendAsync(host, Request(Large, chunked: true)));
        Assert.Equal((503, "unavailable", true), await SendAsync(host, Form()));
        Assert.Equal(0, host.InFlight.Taken);
    }

    [Theory]
    [InlineData("53100")] // The disk is full.
    [InlineData("53200")] // Memory.
    [InlineData("53300")] // Connections.
    [InlineData("53400")] // A configured limit.
    [InlineData("57P01")] // It stops.
    [InlineData("57P03")] // It starts.
    [InlineData("25006")] // It is read-only, after a failover.
    public async Task PostgreSQL_without_room_or_on_its_way_is_503(string state)
    {
        await using var host = await StartAsync(BytesInFlight.DefaultLimit);
        foreach (var fault in new Exception[] { Postgres(state), new InvalidOperationException("As EF Core wraps it.", Postgres(state)) })
        {
            host.Account.NextSend = fault;
            var answer = await host.PostAsync("/v1/messages", """{"to": ["jane@example.org"], "text": "Hi"}""");
            Assert.Equal((503, "unavailable"), (answer.Status, answer.Code));
            Assert.NotNull(answer.Headers.RetryAfter);
        }
    }

    [Theory, InlineData("23505"), InlineData("42P01"), InlineData("22021")]
    public async Task What_PostgreSQL_refuses_for_good_is_500(string state)
    {
        await using var host = await StartAsync(BytesInFlight.DefaultLimit);
        host.Account.NextSend = Postgres(state);
        Assert.Equal(500, (await host.PostAsync("/v1/messages", """{"to": ["jane@example.org"], "text": "Hi"}""")).Status);
    }

    private static async Task<string> AnnounceAsync(ApiHost host, string path, string type, long length)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPEndPoint.Parse(host.Client.BaseAddress!.Authority));
        // Told to continue is who is to send the body (RFC 9110 §10.1.1); none ever comes.
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            $"POST {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ApiHost.Key}\r\nContent-Type: {type}\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"));
        var answer = new byte["HTTP/1.1 503".Length];
        await client.GetStream().ReadExactlyAsync(answer).AsTask().WaitAsync(Eventually.Patience);
        return Encoding.ASCII.GetString(answer)[^3..];
    }

    private static PostgresException Postgres(string state) => new("A test's fault.", "ERROR", "ERROR", state);

    private static async Task<(int Status, string Code, bool RetryAfter)> SendAsync(ApiHost host, HttpRequestMessage request)
    {
        var answer = await host.SendAsync(request);
        return (answer.Status, answer.Status == 202 ? "" : answer.Code, answer.Headers.RetryAfter is not null);
    }

    private static HttpRequestMessage Request(string json, bool chunked) => new(HttpMethod.Post, "/v1/messages")
    {
        Headers = { TransferEncodingChunked = chunked },
        Content = new StringContent(json, Encoding.UTF8, new MediaTypeHeaderValue("application/json")),
    };

    private static HttpRequestMessage Form() => new(HttpMethod.Post, "/v1/messages")
    {
        Headers = { TransferEncodingChunked = true },
        Content = new MultipartFormDataContent
        {
            { new StringContent("""{"to": ["jane@example.org"], "text": "Hi"}"""), "message" },
            { new ByteArrayContent(new byte[900_000]), "attachment", "a" },
        },
    };

    private static async Task<ApiHost> StartAsync(long limit)
    {
        var host = new ApiHost(new ApiOptions(), new BytesInFlight(limit));
        await host.InitializeAsync();
        return host;
    }
}
