using System.Net;
using System.Text;
using System.Text.Json;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>
/// Sends that cannot be stored come at once with many that can: they fail alone. What is known to be refused by PostgreSQL, the checks of the request refuse before,
/// and no request is known that passes them and not PostgreSQL. So that some get into a group all the same, this database has a rule that the program knows nothing of.
/// </summary>
public sealed class PoisonedSendsTests(TestPostgres postgres)
{
    private const int Good = 120;

    private const string Unforeseen = """{"to": ["jane@example.net"], "text": "1", "subject": "PostgreSQL does not take this"}""";

    // As JSON, because that is where a NUL and half a surrogate pair can be written.
    private static readonly string[] Poisons =
    [
        """{"to": ["jane@example.net"], "text": "1", "subject": "a\u0000b"}""",
        """{"to": ["jane@example.net"], "text": "1", "subject": "a\ud800b"}""",
        """{"to": ["jane@example.net"], "text": "a\udfffb"}""",
        """{"to": ["jane@example.net"], "text": "1", "tags": ["a\u0000b"]}""",
        """{"to": ["jane@example.net"], "text": "1", "tags": ["\ud800"]}""",
        """{"to": ["jane@example.net"], "text": "1", "metadata": {"order": "\u0000"}}""",
        """{"to": ["jane@example.net"], "text": "1", "metadata": {"\ud800": "42"}}""",
        """{"to": ["a\u0000b@example.net"], "text": "1"}""",
        """{"to": ["\ud800 <jane@example.net>"], "text": "1"}""",
        """{"to": ["jane@example.net"], "text": "1", "messageId": "<a\u0000b@acme.example>"}""",
        """{"to": ["jane@example.net"], "text": "1", "attachments": [{"filename": "a\u0000.txt", "contentType": "text/plain", "content": "YQ=="}]}""",
        """{"to": ["jane@example.net"], "text": "1", "headers": [{"name": "X-Order", "value": "\ud83d"}]}""",
        $$"""{"to": ["jane@example.net"], "text": "1", "subject": "{{new string('x', 5000)}}"}""",
        $$$"""{"to": ["jane@example.net"], "text": "1", "metadata": {"order": "{{{new string('x', 100_000)}}}"}}""",
        $$"""{"to": ["{{new string('x', 70_000)}}@example.net"], "text": "1"}""",
        $$"""{"to": ["{{string.Join("\",\"", Enumerable.Range(0, 1001).Select(n => $"jane{n}@example.net"))}}"], "text": "1"}""",
    ];

    [Fact]
    public async Task They_are_refused_and_all_others_are_accepted_and_delivered()
    {
        await using var sink = new CountingSink();
        await using var installation = await Installation.CreateAsync(postgres);
        installation.Deliver("example.net", sink.EndPoint);
        await using (var rule = installation.Database.CreateCommand("ALTER TABLE message ADD CHECK (subject <> 'PostgreSQL does not take this')")) await rule.ExecuteNonQueryAsync();
        await using var node = await installation.StartNodeAsync("a");
        using var client = node.Client(installation.ApiKey);
        var good = Enumerable.Range(0, Good).Select(n => (Id: $"<good-{n}@acme.example>", Body: GoodSend(n))).ToArray();

        var bad = Poisons.SelectMany(p => Enumerable.Repeat(p, 3)).Concat(Enumerable.Repeat(Unforeseen, 20));
        var sends = good.Select(g => (IsGood: true, g.Body)).Concat(bad.Select(b => (IsGood: false, Body: b))).ToArray();
        new Random(20261127).Shuffle(sends);
        var answers = await Task.WhenAll(sends.Select(async s => (s.IsGood, s.Body, Answer: await SendAsync(client, s.Body))));

        Assert.All(answers, a => Assert.True(
            a.IsGood ? a.Answer.Status == HttpStatusCode.Accepted
            : a.Body == Unforeseen ? a.Answer.Status == HttpStatusCode.InternalServerError
            : a.Answer.Status is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity,
            $"{a.Body[..Math.Min(a.Body.Length, 200)]}\n{a.Answer}"));
        await installation.QueueIsEmptyAsync();
        Assert.Equal(good.Select(g => g.Id).ToHashSet(), [.. sink.Counts.Keys]);
        Assert.All(sink.Counts.Values, seen => Assert.Equal(new Counted(1, 1), seen));
        Assert.DoesNotContain("Unhandled", node.Log, StringComparison.OrdinalIgnoreCase);
        // The exceptions, of many lines each, are lines of the log.
        Assert.All(node.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Matches(@"^\d\d:\d\d:\d\d\.\d{3} (info|warn|fail): ", line));
        var report = await installation.AssertBooksBalanceAsync();
        Assert.Equal((Good, Good), (report.Accepted, report.ByStatus[RecipientStatus.Delivered]));
    }

    // Most share a group; some are so large that a group has room for four of them, and some go on their own.
    private static string GoodSend(int n)
    {
        var content = Convert.ToBase64String(new byte[n % 30 == 0 ? 1_500_000 : n % 10 == 0 ? 700_000 : 10]);
        return JsonSerializer.Serialize(new
        {
            to = new[] { "jane@example.net" },
            subject = "Good ☺",
            text = "It works.",
            messageId = $"<good-{n}@acme.example>",
            attachments = new[] { new { filename = "a.bin", contentType = "application/octet-stream", content } },
        });
    }

    private static async Task<(HttpStatusCode Status, string Body)> SendAsync(HttpClient client, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/messages") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
