using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MoxApi.Migrations.Messages;
using MoxApi.OpenApi.Access;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Api.Administration;

public sealed class ErasureTests(TestPostgres postgres) : IAsyncLifetime
{
    private const string Jane = "jane.doe@example.org";

    private StoredApiHost host = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => host = await StoredApiHost.StartAsync(postgres);

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task Nothing_of_an_erased_address_is_left_in_the_database()
    {
        var messages = new List<string> { await SendAsync(Jane), await SendAsync("Jane Doe <Jane.Doe+news@EXAMPLE.org>"), await SendAsync(Jane, key: "order-42") };
        await FinishAsync();
        await host.PostAsync("/v1/suppressions", new { address = "Jane.Doe+news@example.org", detail = $"{Jane} asked" });
        Assert.NotEmpty(await FindAsync("jane.doe"));

        var erased = await EraseAsync(new { address = "JANE.DOE@example.org", keepSuppression = false });

        Assert.Equal((3, 3, 1, 1), (Count(erased, "recipients"), Count(erased, "messages"), Count(erased, "idempotentAnswers"), Count(erased, "suppressions")));
        Assert.Empty(await FindAsync("jane.doe"));
        foreach (var message in messages)
        {
            var shown = (await host.GetAsync($"/v1/messages/{message}")).Json;
            Assert.Equal(("", RecipientErasure.Placeholder), (shown.GetProperty("subject").GetString(), shown.GetProperty("recipients")[0].GetProperty("address").GetString()));
            var raw = await host.GetAsync($"/v1/messages/{message}/raw");
            Assert.Equal((410, "content_deleted"), (raw.Status, raw.Code));
        }
    }

    [Fact]
    public async Task What_is_on_its_way_to_an_erased_address_is_canceled()
    {
        var queued = await SendAsync(Jane);

        var erased = await EraseAsync(new { address = Jane });

        Assert.Equal((1, 1, 1), (Count(erased, "canceled"), Count(erased, "recipients"), Count(erased, "messages")));
        Assert.Equal(["canceled"], await host.StatusesAsync(queued));
        Assert.Equal(["message.accepted", "message.canceled"], await host.EventsAsync(queued));
        Assert.Empty(await FindAsync("jane.doe"));
    }

    [Fact]
    public async Task A_message_that_is_on_its_way_to_others_is_left_until_it_is_finished()
    {
        var answer = await host.PostAsync("/v1/messages", new { to = new[] { Jane, "sam@example.net" }, subject = "Both", text = "x" });
        var message = answer.Json.GetProperty("id").GetString()!;

        var first = await EraseAsync(new { address = Jane });
        Assert.Equal((1, 0, 1), (Count(first, "canceled"), Count(first, "messages"), Count(first, "unfinished")));
        Assert.Equal(["canceled", "queued"], await host.StatusesAsync(message));
        Assert.Equal(200, (await host.GetAsync($"/v1/messages/{message}/raw")).Status);

        await FinishAsync();
        var second = await EraseAsync(new { address = Jane });
        Assert.Equal((1, 1, 0), (Count(second, "recipients"), Count(second, "messages"), Count(second, "unfinished")));
        Assert.Empty(await FindAsync("jane.doe"));
        Assert.NotEmpty(await FindAsync("sam@example.net"));
    }

    [Fact]
    public async Task A_suppression_stays_unless_it_is_to_go_and_forgets_why()
    {
        await host.PostAsync("/v1/suppressions", new { address = "Jane.Doe+news@example.org", detail = "Asked by telephone" });

        await EraseAsync(new { address = Jane });

        Assert.Equal(["suppression.address", "suppression.base_address"], (await FindAsync("jane.doe")).Order());
        Assert.Empty(await FindAsync("telephone"));
        var again = await host.PostAsync("/v1/messages", new { to = new[] { Jane }, text = "x" });
        Assert.Equal("suppressed", again.Json.GetProperty("recipients")[0].GetProperty("status").GetString());
    }

    [Fact]
    public async Task Other_recipients_and_other_accounts_keep_what_they_have()
    {
        var stranger = await host.KeyAsync("stranger", StoredApiHost.AccountScopes);
        var id = (await host.GetAsync("/v1/accounts")).Json.GetProperty("data").EnumerateArray().Single(a => a.GetProperty("name").GetString() == "stranger").GetProperty("id").GetString();
        await host.PostAsync($"/v1/accounts/{id}/addresses", new { address = "stranger@acme.example" });
        var theirs = await host.SendMessageAsync(Jane, stranger);
        var other = await SendAsync("jane@example.org");
        await SendAsync(Jane);
        await FinishAsync();

        Assert.Equal(1, Count(await EraseAsync(new { address = Jane }), "messages"));

        Assert.Equal(200, (await host.GetAsync($"/v1/messages/{theirs}/raw", stranger)).Status);
        Assert.Equal(200, (await host.GetAsync($"/v1/messages/{other}/raw")).Status);
        Assert.Equal(422, (await host.PostAsync("/v1/recipients/erase", new { address = Jane, accountId = await AcmeAsync() }, stranger)).Status);
        // An admin may, for whoever it is.
        Assert.Equal(1, Count(await EraseAsync(new { address = Jane, accountId = id }), "messages"));
    }

    [Fact]
    public async Task Many_messages_are_erased_batch_by_batch()
    {
        await SendAsync(Jane);
        await FinishAsync();
        // 450 more: beyond two batches, many of them accepted at the same time.
        await ExecuteAsync("""
            INSERT INTO body (id, size, "inline") SELECT 1000000 + n, 4, 'body' FROM generate_series(1, 450) n;
            INSERT INTO message (id, account_id, direction, message_id_header, from_header, subject, size, header, body_id, tags, metadata, accepted_at, require_tls, needs_smtp_utf8, is_test)
              SELECT 2000000 + n, account_id, 0, '<m>', 'a', 'Jane.Doe', 8, 'jane.doe', 1000000 + n, '{}', '{}', accepted_at - interval '1 hour' + interval '1 second' * (n / 100), 0, false, false
              FROM message, generate_series(1, 450) n;
            INSERT INTO recipient (id, message_id, account_id, lane_id, address, base_address, accepted_at, kind, status, event_sequence, attempts)
              SELECT 3000000 + n, 2000000 + n, account_id, lane_id, address, base_address, accepted_at - interval '1 hour' + interval '1 second' * (n / 100), 0, 4, 0, 0
              FROM recipient, generate_series(1, 450) n
            """);

        var erased = await EraseAsync(new { address = Jane });

        Assert.Equal((451, 451), (Count(erased, "recipients"), Count(erased, "messages")));
        Assert.Empty(await FindAsync("jane.doe"));
    }

    [Fact]
    public async Task The_answer_of_a_key_that_is_just_used_anew_is_left()
    {
        await SendAsync(Jane, key: "order-42");
        await using var other = await OtherTransaction.BeginAsync(host.Installation.Database, """UPDATE idempotent_answer SET answer = '{"id": "another"}', created_at = created_at + interval '1 day'""");

        var erasure = EraseAsync(new { address = Jane });
        await other.IsAwaitedAsync();
        await other.CommitAsync();

        Assert.Equal(0, Count(await erasure, "idempotentAnswers"));
        await using var context = host.Open();
        Assert.Equal("""{"id": "another"}""", (await context.IdempotentAnswers.SingleAsync(Cancel)).Answer);
    }

    [Fact]
    public async Task What_is_sent_during_an_erasure_is_erased_with_its_answer_or_left_with_it()
    {
        await SendAsync(Jane, "order-42");
        await FinishAsync();
        await using var other = await OtherTransaction.BeginAsync(host.Installation.Database, "SELECT FROM idempotent_answer FOR UPDATE");

        var erasure = EraseAsync(new { address = Jane });
        await other.IsAwaitedAsync();
        await SendAsync(Jane, "order-43");
        await FinishAsync();
        await other.CommitAsync();

        Assert.Equal(Count(await erasure, "recipients"), Count(await erasure, "idempotentAnswers"));
        await EraseAsync(new { address = Jane });
        Assert.Empty(await FindAsync("jane.doe"));
    }

    [Fact]
    public async Task Of_two_erased_at_once_neither_is_left_in_an_answer()
    {
        const string Sam = "sam@example.net";
        await SendAsync(Jane, "order-42", Sam);
        await using var other = await OtherTransaction.BeginAsync(host.Installation.Database, $"UPDATE idempotent_answer SET answer = replace(answer, '{Sam}', '{RecipientErasure.Placeholder}')");

        var erasure = EraseAsync(new { address = Jane });
        await other.IsAwaitedAsync();
        await other.CommitAsync();

        Assert.Equal(1, Count(await erasure, "idempotentAnswers"));
        await using var context = host.Open();
        var answer = (await context.IdempotentAnswers.SingleAsync(Cancel)).Answer;
        Assert.DoesNotContain(Sam, answer, StringComparison.Ordinal);
        Assert.DoesNotContain(Jane, answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_may_not_touch_the_suppression_list_may_not_erase()
    {
        var reader = await host.KeyAsync("acme", Scopes.Read, Scopes.Send);
        Assert.Equal(403, (await host.PostAsync("/v1/recipients/erase", new { address = Jane }, reader)).Status);
        foreach (var address in new[] { "jane", RecipientErasure.Placeholder })
            Assert.Equal(["/address invalid_address"], (await host.PostAsync("/v1/recipients/erase", new { address })).Faults);
    }

    [Fact]
    public async Task The_octets_of_large_files_go_too()
    {
        var attachments = new[] { new { filename = "a.bin", content = Convert.ToBase64String(new byte[50_000]) } };
        Assert.Equal(202, (await host.PostAsync("/v1/messages", new { to = new[] { Jane }, text = "Hi", attachments })).Status);
        await FinishAsync();
        await using var context = host.Open();
        Assert.NotEqual(0, await context.BodyChunks.CountAsync(Cancel));

        await EraseAsync(new { address = Jane });

        Assert.Equal(0, await context.BodyChunks.CountAsync(Cancel));
    }

    private async Task<string> SendAsync(string to, string? key = null, params string[] cc)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/messages")
        {
            Content = new StringContent(JsonSerializer.Serialize(new { to = new[] { to }, cc, subject = "For Jane.Doe", text = "Dear jane.doe", tags = new[] { "jane.doe" }, metadata = new { customer = "jane.doe" } }), System.Text.Encoding.UTF8, "application/json"),
            Headers = { Authorization = new("Bearer", host.Installation.ApiKey) },
        };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        var answer = await host.SendAsync(request);
        Assert.True(answer.Status == 202, answer.Text);
        return answer.Json.GetProperty("id").GetString()!;
    }

    // All that is queued fails, with replies and webhook answers that name the address wherever one can.
    private async Task FinishAsync()
    {
        await host.PostAsync("/v1/webhooks", new { url = "https://app.acme.example/", events = new[] { "message.failed" } });
        await ExecuteAsync("""
            INSERT INTO attempt (id, message_id, recipient_id, number, at, duration_ms, outcome, smtp_code, reply, failure_class, conversation)
              SELECT r.id + 5000000, r.message_id, r.id, 1, now(), 1, 2, 550, r.address || ' is unknown', 1, json_build_array(json_build_object('step', 'rcpt', 'reply', r.address, 'ms', 1)) FROM recipient r WHERE r.status = 0;
            INSERT INTO event (id, account_id, type, at, message_id, recipient_id, sequence, attempt_id, detail)
              SELECT r.id + 6000000, r.account_id, 5, now(), r.message_id, r.id, 2, r.id + 5000000, json_build_object('about', r.address) FROM recipient r WHERE r.status = 0;
            INSERT INTO webhook_delivery (endpoint_id, event_id, status, attempts, created_at, error, request_headers, response_headers, response_body)
              SELECT w.id, r.id + 6000000, 2, 1, now(), r.address, json_build_object('x', r.address), json_build_object('x', r.address), convert_to(r.address, 'UTF8') FROM recipient r, webhook_endpoint w WHERE r.status = 0;
            DELETE FROM queue;
            UPDATE recipient SET status = 5, event_sequence = 2, attempts = 1, next_attempt_at = NULL WHERE status = 0
            """);
    }

    private async Task<Answer> EraseAsync(object request)
    {
        var answer = await host.PostAsync("/v1/recipients/erase", request);
        Assert.True(answer.Status == 200, answer.Text);
        return answer;
    }

    private static int Count(Answer answer, string field) => answer.Json.GetProperty(field).GetInt32();

    private async Task<string> AcmeAsync() => (await host.GetAsync("/v1/domains")).Json.GetProperty("data")[0].GetProperty("accountId").GetString()!;

    private Task<List<string>> FindAsync(string text) => DatabaseSearch.FindAsync(host.Installation.Database, text, Cancel);

    private async Task ExecuteAsync(string statement)
    {
        await using var command = host.Installation.Database.CreateCommand(statement);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
