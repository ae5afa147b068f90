using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Xunit;

namespace MoxApi.Tests.Api.Problems;

public class MalformedRequestTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string Good = "GET /v1/messages/msg_1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + ApiHost.Key + "\r\n\r\n";

    [Theory]
    [InlineData("GET /v1/messages/%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("GET /v1/messages HTTP/1.1\r\n\r\n", 400)]
    [InlineData("GET /v1/messages HTTP/1.1\r\nHost: a\r\nno field\r\n\r\n", 400)]
    [InlineData("POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n", 400)]
    [InlineData("no request\r\n\r\n", 400)]
    [InlineData("GET /v1/messages HTTP/3.1\r\nHost: a\r\n\r\n", 505)]
    public async Task What_is_no_request_is_answered_with_a_problem(string octets, int status) => AssertProblem(await AskAsync(octets), status);

    [Fact]
    public async Task A_line_or_a_head_over_the_limit_is_answered_with_a_problem()
    {
        AssertProblem(await AskAsync($"GET /v1/{new string('a', 20_000)} HTTP/1.1\r\nHost: a\r\n\r\n"), 414);
        AssertProblem(await AskAsync($"GET /v1/messages HTTP/1.1\r\nHost: a\r\nX: {new string('a', 40_000)}\r\n\r\n"), 431);
    }

    [Fact]
    public async Task Requests_ahead_of_it_on_the_connection_have_their_answers_first()
    {
        var answers = await AskAsync(Good + Good + "GET /v1/messages/%00 HTTP/1.1\r\nHost: a\r\n\r\n" + Good);
        Assert.Equal(2, answers.Split("HTTP/1.1 200 OK").Length - 1);
        AssertProblem(answers[answers.IndexOf("HTTP/1.1 400", StringComparison.Ordinal)..], 400);
    }

    // One answer, and nothing behind it.
    private static void AssertProblem(string answer, int status)
    {
        var (head, body) = (answer[..answer.IndexOf("\r\n\r\n", StringComparison.Ordinal)], answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
        Assert.StartsWith($"HTTP/1.1 {status} ", head, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Type: application/problem+json", head);
        Assert.Contains("\r\nConnection: close", head);
        Assert.Contains($"\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n", head);
        var problem = JsonDocument.Parse(body).RootElement;
        Assert.Equal((status, "bad_request"), (problem.GetProperty("status").GetInt32(), problem.GetProperty("code").GetString()));
        Assert.NotEqual("", problem.GetProperty("requestId").GetString());
    }

    // All that comes until the connection is closed.
    private async Task<string> AskAsync(string octets)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(host.Client.BaseAddress!.Host, host.Client.BaseAddress.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(octets));
        using var reader = new StreamReader(client.GetStream());
        return await reader.ReadToEndAsync().WaitAsync(Eventually.Patience);
    }
}
