using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using MoxApi.Api.Problems;
using Xunit;

namespace MoxApi.Tests.Api.Problems;

public class MalformedRequestTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string Good = "GET /v1/messages/msg_1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + ApiHost.Key + "\r\n\r\n";

    [Theory]
    [InlineData("GET /v1/messages/%00 HTTP/1.1\r\nHost: a\r\n\r\n", "Invalid request target.")]
    [InlineData("GET /v1/messages HTTP/1.1\r\n\r\n", "Request is missing Host header.")]
    [InlineData("GET /v1/messages HTTP/1.1\r\nHost: a\r\nno field\r\n\r\n", "Invalid request header.")]
    [InlineData("POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n", "Invalid content length.")]
    [InlineData("no request\r\n\r\n", "Invalid request line.")]
    public async Task What_is_no_request_is_answered_with_a_problem(string octets, string title) =>
        Assert.Equal(title, AssertProblem(await AskAsync(octets), 400, "bad_request").GetProperty("title").GetString());

    [Fact]
    public async Task A_line_or_a_head_over_the_limit_is_answered_with_a_problem()
    {
        AssertProblem(await AskAsync($"GET /v1/{new string('a', 20_000)} HTTP/1.1\r\nHost: a\r\n\r\n"), 414, "bad_request");
        AssertProblem(await AskAsync($"GET /v1/messages HTTP/1.1\r\nHost: a\r\nX: {new string('a', 40_000)}\r\n\r\n"), 431, "bad_request");
    }

    [Fact]
    public async Task An_answer_to_HEAD_has_no_content()
    {
        var answer = await AskAsync("HEAD /v1/messages HTTP/1.1\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 400 Bad Request\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_speaks_another_version_is_answered_by_Kestrel()
    {
        Assert.StartsWith("HTTP/1.1 505", await AskAsync("GET /v1/messages HTTP/3.1\r\nHost: a\r\n\r\n"), StringComparison.Ordinal);
        // RFC 9113 §3.4: HTTP/2's preface, which is answered with a GOAWAY frame.
        Assert.DoesNotContain("HTTP/1.1", await AskAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    }

    [Fact]
    public async Task A_request_that_comes_too_slowly_is_answered_so()
    {
        var pipe = new Pipe();
        var output = new AnswerWriter(pipe.Writer);
        var fault = new BadRequest { Error = new BadHttpRequestException("Reading the request headers timed out.", StatusCodes.Status408RequestTimeout) };
        var features = new FeatureCollection();
        features.Set(output);
        features.Set<IBadRequestExceptionFeature>(fault);
        features.Set<IHttpResponseFeature>(new HttpResponseFeature());
        features.Set<IHttpRequestIdentifierFeature>(new HttpRequestIdentifierFeature { TraceIdentifier = "r1" });

        host.Services.GetRequiredService<MalformedRequests>().OnNext(new("", features));
        await output.WriteAsync("what Kestrel writes"u8.ToArray(), TestContext.Current.CancellationToken);
        await output.CompleteAsync();

        using var reader = new StreamReader(pipe.Reader.AsStream());
        AssertProblem(await reader.ReadToEndAsync(TestContext.Current.CancellationToken), 408, "request_timeout");
    }

    [Fact]
    public async Task Requests_ahead_of_it_on_the_connection_have_their_answers_first()
    {
        var answers = await AskAsync(Good + Good + "GET /v1/messages/%00 HTTP/1.1\r\nHost: a\r\n\r\n" + Good);
        Assert.Equal(2, answers.Split("HTTP/1.1 200 OK").Length - 1);
        AssertProblem(answers[answers.IndexOf("HTTP/1.1 400", StringComparison.Ordinal)..], 400, "bad_request");
    }

    [Theory]
    [InlineData("ffffffffffffffff")]
    [InlineData("80000000")]
    [InlineData("zz")]
    public async Task A_chunk_whose_size_is_no_number_or_too_large_is_refused(string size)
    {
        var answer = await AskAsync($"POST /v1/webhooks HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ApiHost.Key}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{size}\r\nabc\r\n", untilClosed: false);
        Assert.StartsWith("HTTP/1.1 400 Bad Request\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"bad_request\"", answer);
    }

    [Theory]
    [InlineData("/v1/messages", 72)]
    [InlineData("/v1/webhooks", 3)]
    public async Task Who_sends_a_body_over_the_limit_before_he_reads_is_told_so(string path, int megabytes)
    {
        var head = $"POST {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ApiHost.Key}\r\nContent-Type: application/json\r\nContent-Length: {megabytes << 20}\r\n\r\n";
        var answer = await AskAsync(head + new string(' ', megabytes << 20), untilClosed: false);
        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"too_large\"", answer);
    }

    // One answer, and nothing behind it.
    private static JsonElement AssertProblem(string answer, int status, string code)
    {
        var (head, body) = (answer[..answer.IndexOf("\r\n\r\n", StringComparison.Ordinal)], answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
        Assert.StartsWith($"HTTP/1.1 {status} ", head, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Type: application/problem+json", head);
        Assert.Contains("\r\nConnection: close", head);
        Assert.Contains($"\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n", head);
        var problem = JsonDocument.Parse(body).RootElement;
        Assert.Equal((status, code), (problem.GetProperty("status").GetInt32(), problem.GetProperty("code").GetString()));
        Assert.NotEqual("", problem.GetProperty("requestId").GetString());
        return problem;
    }

    // All that comes until the connection is closed, or the end of the first problem.
    private async Task<string> AskAsync(string octets, bool untilClosed = true)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(host.Client.BaseAddress!.Host, host.Client.BaseAddress.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(octets));
        var answer = new StringBuilder();
        var piece = new byte[4096];
        try
        {
            while (await client.GetStream().ReadAsync(piece).AsTask().WaitAsync(Eventually.Patience) is > 0 and var count)
            {
                answer.Append(Encoding.Latin1.GetString(piece, 0, count));
                if (!untilClosed && answer.ToString().Contains("\"requestId\":", StringComparison.Ordinal)) break;
            }
        }
        catch (IOException)
        {
            // Closed while octets of the request were on their way, which resets the connection.
        }
        return answer.ToString();
    }

    private sealed class BadRequest : IBadRequestExceptionFeature
    {
        public Exception? Error { get; init; }
    }
}
