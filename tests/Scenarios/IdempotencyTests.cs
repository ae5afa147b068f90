using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Access;
using MoxApi.Migrations.Accounts;
using MoxApi.OpenApi.Access;
using MoxApi.Tests.Hosting;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>Idempotency-Key, through the real program.</summary>
public sealed class IdempotencyTests(ApiNode shared) : IClassFixture<ApiNode>, IAsyncLifetime
{
    private readonly Installation installation = shared.Installation;
    private readonly HttpClient client = shared.Process.Client(shared.Installation.ApiKey);
    private int before;

    public async ValueTask InitializeAsync() => before = await CountAsync();

    public ValueTask DisposeAsync()
    {
        client.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task The_same_key_and_message_give_the_first_answer_again_however_the_JSON_is_written()
    {
        var first = await SendAsync(client, "order-42", """{"to": ["jane@example.org"], "subject": "Receipt", "text": "1", "metadata": {"a": "1", "b": "2"}}""");
        var second = await SendAsync(client, "order-42", """{"metadata":{"b":"2","a":"1"},"text":"1","subject":"Receipt","to":["jane@example.org"]}""");
        Assert.Equal(HttpStatusCode.Accepted, first.Status);
        Assert.Equal(HttpStatusCode.Accepted, second.Status);
        Assert.True(JsonNode.DeepEquals(first.Body, second.Body), $"{first.Body}\n{second.Body}");
        Assert.Equal(1, await SentAsync());
    }

    [Fact]
    public async Task A_send_is_logged_once_however_often_it_is_asked_for()
    {
        const string Body = """{"to": ["jane@example.org"], "text": "1"}""";
        var id = (string)(await SendAsync(client, "logged", Body)).Body["id"]!;
        await SendAsync(client, "logged", Body);
        var next = (string)(await SendAsync(client, "logged-2", Body)).Body["id"]!;

        await Eventually.HoldsAsync(() => Task.FromResult(shared.Process.Log.Contains($"Accepted {next}", StringComparison.Ordinal)), "what was accepted last to be logged");
        Assert.Equal(2, shared.Process.Log.Split($"Accepted {id}").Length);
    }

    [Fact]
    public async Task The_same_key_with_another_message_is_refused()
    {
        await SendAsync(client, "mismatch", """{"to": ["jane@example.org"], "subject": "Receipt", "text": "1"}""");
        string[] others =
        [
            """{"to": ["jane@example.org"], "subject": "Receipt", "text": "2"}""",
            """{"to": ["jane@example.org"], "subject": "Receipt", "text": "1", "attachments": [{"filename": "a.txt", "contentType": "text/plain", "content": "YQ=="}]}""",
        ];
        foreach (var other in others)
        {
            var answer = await SendAsync(client, "mismatch", other);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.Status);
            Assert.Equal("idempotency_mismatch", (string?)answer.Body["code"]);
        }
        Assert.Equal(1, await SentAsync());
    }

    [Fact]
    public async Task A_file_of_the_same_name_with_other_octets_makes_another_message()
    {
        static string Body(string content) => $$"""{"to": ["jane@example.org"], "text": "1", "attachments": [{"filename": "a.txt", "contentType": "text/plain", "content": "{{content}}"}]}""";
        Assert.Equal(HttpStatusCode.Accepted, (await SendAsync(client, "octets", Body("YQ=="))).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await SendAsync(client, "octets", Body("Yg=="))).Status);
    }

    [Fact]
    public async Task The_answer_to_a_test_is_none_for_a_message_that_is_to_arrive()
    {
        const string Body = """{"to": ["jane@example.org"], "subject": "Receipt", "text": "1"}""";
        using var tester = shared.Process.Client(await TestKeyAsync());
        Assert.Equal(HttpStatusCode.Accepted, (await SendAsync(tester, "tested", Body)).Status);
        var real = await SendAsync(client, "tested", Body);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "idempotency_mismatch"), (real.Status, (string?)real.Body["code"]));
        Assert.Equal(HttpStatusCode.Accepted, (await SendAsync(tester, "tested", Body)).Status);
        Assert.Equal(1, await SentAsync());
    }

    [Fact]
    public async Task The_same_key_on_two_nodes_at_once_makes_one_message()
    {
        await using var other = await installation.StartNodeAsync("b", ("Node__Roles__0", "api"));
        using var otherClient = other.Client(installation.ApiKey);
        for (var round = 0; round < 10; round++)
        {
            var body = $$"""{"to": ["jane@example.org"], "subject": "Receipt {{round}}", "text": "1"}""";
            var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(n => SendAsync(n % 2 == 0 ? client : otherClient, $"round-{round}", body)));
            Assert.All(answers, a => Assert.True(a.Status is HttpStatusCode.Accepted or HttpStatusCode.Conflict, $"{a.Status}"));
            Assert.Single(answers.Where(a => a.Status == HttpStatusCode.Accepted).Select(a => (string?)a.Body["id"]).Distinct());
            Assert.Equal(round + 1, await SentAsync());
        }
        await installation.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task A_key_older_than_a_day_is_forgotten()
    {
        const string Body = """{"to": ["jane@example.org"], "subject": "Receipt", "text": "1"}""";
        await SendAsync(client, "old", Body);
        await using (var context = installation.Open())
            await context.Database.ExecuteSqlAsync($"UPDATE idempotent_answer SET created_at = created_at - interval '24 hours 1 second'", TestContext.Current.CancellationToken);
        var again = await SendAsync(client, "old", Body);
        Assert.Equal(HttpStatusCode.Accepted, again.Status);
        Assert.Equal(2, await SentAsync());
    }

    [Fact]
    public async Task A_message_with_a_large_file_is_known_by_its_key_too()
    {
        var body = $$"""{"to": ["jane@example.org"], "text": "1", "attachments": [{"filename": "a.bin", "contentType": "application/octet-stream", "content": "{{Convert.ToBase64String(new byte[3 << 20])}}"}]}""";
        var first = await SendAsync(client, "large", body);
        var second = await SendAsync(client, "large", body);
        Assert.Equal(HttpStatusCode.Accepted, first.Status);
        Assert.Equal((string?)first.Body["id"], (string?)second.Body["id"]);
        Assert.Equal(1, await SentAsync());
    }

    [Theory, InlineData("small", 10), InlineData("large", 3 << 20)]
    public async Task The_answer_that_is_given_again_says_who_was_suppressed(string recipient, int octets)
    {
        var body = $$"""{"to": ["{{recipient}}@example.org"], "text": "1", "attachments": [{"filename": "a.bin", "contentType": "application/octet-stream", "content": "{{Convert.ToBase64String(new byte[octets])}}"}]}""";
        await using (var context = installation.Open())
        {
            await context.Database.ExecuteSqlAsync($"""
                INSERT INTO suppression (account_id, base_address, address, reason, failure_class, created_at) SELECT id, {recipient} || '@example.org', {recipient} || '@example.org', 0, 0, now() FROM account
                """, TestContext.Current.CancellationToken);
        }
        var (first, second) = (await SendAsync(client, $"suppressed-{recipient}", body), await SendAsync(client, $"suppressed-{recipient}", body));
        Assert.Equal("suppressed", (string?)first.Body["recipients"]![0]!["status"]);
        Assert.True(JsonNode.DeepEquals(first.Body, second.Body), $"{first.Body}\n{second.Body}");
    }

    [Fact]
    public async Task While_the_first_of_two_is_being_written_the_second_is_told_to_come_again()
    {
        const string Body = """{"to": ["jane@example.org"], "subject": "Receipt", "text": "1"}""";
        await using (var first = await installation.Database.OpenConnectionAsync(TestContext.Current.CancellationToken))
        await using (var transaction = await first.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            // As the first would, before it writes.
            await using var take = first.CreateCommand();
            take.CommandText = "SELECT pg_advisory_xact_lock(hashtextextended('moxapi:idempotency:' || min(id) || ':progress', 0)) FROM account WHERE name = 'acme'";
            await take.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

            var second = await SendAsync(client, "progress", Body);
            Assert.Equal((HttpStatusCode.Conflict, "idempotency_in_progress"), (second.Status, (string?)second.Body["code"]));
        }
        Assert.Equal(HttpStatusCode.Accepted, (await SendAsync(client, "progress", Body)).Status);
        Assert.Equal(1, await SentAsync());
    }

    [Fact]
    public async Task Who_comes_too_late_to_be_the_first_is_told_what_the_first_was_told()
    {
        static string Body(int kind) => $$"""{"to": ["jane@example.org"], "subject": "Receipt", "text": "{{kind}}"}""";
        await using var second = await installation.Database.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var begun = await second.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var writes = new NpgsqlCommand("LOCK TABLE idempotent_answer IN SHARE MODE", second);
        Task<(HttpStatusCode Status, JsonNode Body)>[] sends;
        Task<int> block;
        await using (var first = await installation.Database.OpenConnectionAsync(TestContext.Current.CancellationToken))
        await using (var transaction = await first.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            // All have looked for the key before any of them can write it.
            await using var all = new NpgsqlCommand("LOCK TABLE idempotent_answer IN ACCESS EXCLUSIVE MODE", first);
            await all.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            sends = [.. Enumerable.Range(0, 4).Select(n => SendAsync(client, "late", Body(n % 2)))];
            await installation.CountIsAsync("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'SELECT fingerprint, answer%'", 4);
            block = writes.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            await installation.CountIsAsync("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'LOCK TABLE%SHARE%'", 1);
        }
        await block;
        await installation.CountIsAsync("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT fingerprint, answer%'", 0);
        await begun.RollbackAsync(TestContext.Current.CancellationToken);

        var answers = await Task.WhenAll(sends);
        Assert.Equal([HttpStatusCode.Accepted, HttpStatusCode.Accepted, HttpStatusCode.UnprocessableEntity, HttpStatusCode.UnprocessableEntity], answers.Select(a => a.Status).Order());
        Assert.Single(answers.Where(a => a.Status == HttpStatusCode.Accepted).Select(a => (string?)a.Body["id"]).Distinct());
        Assert.Equal(1, await SentAsync());
    }

    private async Task<string> TestKeyAsync()
    {
        var key = ApiKeyHash.NewKey();
        await using var context = installation.Open();
        context.Add(new ApiKey
        {
            AccountId = context.Accounts.Single(a => a.Name == "acme").Id,
            Name = "test",
            Hash = ApiKeyHash.Of(key),
            Prefix = ApiKeyHash.Shown(key),
            Scopes = [Scopes.Send],
            IsTest = true,
            CreatedAt = TimeProvider.System.GetUtcNow(),
        });
        await context.SaveChangesAsync(TestContext.Current.CancellationToken);
        return key;
    }

    private async Task<int> SentAsync() => await CountAsync() - before;

    private async Task<int> CountAsync()
    {
        await using var context = installation.Open();
        return await context.Messages.CountAsync(TestContext.Current.CancellationToken);
    }

    private static async Task<(HttpStatusCode Status, JsonNode Body)> SendAsync(HttpClient client, string key, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/messages") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("Idempotency-Key", key);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!);
    }
}

/// <summary>Takes messages, and delivers none.</summary>
public sealed class ApiNode(TestPostgres postgres) : SharedNode(postgres, ("Node__Roles__0", "api"));
