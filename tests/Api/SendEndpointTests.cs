using System.Net.Http.Headers;
using System.Text;
using MoxApi.Api.Problems;
using MoxApi.OpenApi.Messages;
using Xunit;

namespace MoxApi.Tests.Api;

public class SendEndpointTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string Least = """{"to": ["jane@example.org"], "text": "Hi"}""";

    [Fact]
    public async Task A_message_is_accepted_with_its_address_in_Location()
    {
        var answer = await host.PostAsync("/v1/messages", """{"to": ["Jane Döe <jane@example.org>", "jane@example.org"], "bcc": ["sam@example.net"], "text": "Hi"}""");
        Assert.Equal(202, answer.Status);
        Assert.Equal("/v1/messages/msg_1", answer.Headers.Location?.OriginalString);
        Assert.Equal("""
            {"id":"msg_1","messageId":"<made@acme.example>","acceptedAt":"2026-11-22T10:00:00.123Z","recipients":[{"id":"rcp_0","address":"jane@example.org","status":"queued"},{"id":"rcp_1","address":"sam@example.net","status":"queued"}]}
            """, answer.Text);
    }

    [Fact]
    public async Task Every_field_reaches_the_draft()
    {
        var answer = await host.PostAsync("/v1/messages", """
            {
              "from": "Acme, Inc. <receipts@acme.example>", "to": ["Jane <jane@example.org>"], "cc": ["c@example.org"], "bcc": [], "replyTo": ["help@acme.example"],
              "subject": "Your receipt ☺", "text": "…", "html": "<p>…</p>",
              "attachments": [{"filename": "a.pdf", "contentType": "application/pdf", "content": "AAEC"}, {"filename": "ü.png", "content": "", "contentId": "logo"}],
              "headers": [{"name": "X-Order", "value": "42"}], "tags": ["receipt"], "metadata": {"Order-Id": "42"},
              "references": ["<a@acme.example>"], "inReplyTo": "<a@acme.example>", "messageId": "<every-field@acme.example>", "date": "2026-11-22T10:00:00+01:00",
              "sendAt": "2026-11-22T11:00:00+01:00",
              "requireTls": "required", "returnPath": "sender"
            }
            """);
        Assert.Equal(202, answer.Status);
        var (draft, _, files) = host.Account.Sent.Single(sent => sent.Draft.MessageId == "<every-field@acme.example>");
        Assert.Equal("Acme, Inc.", draft.From!.DisplayName);
        Assert.Equal(["jane@example.org", "c@example.org"], draft.Recipients.Select(r => r.Address.ToString()));
        Assert.Equal("help@acme.example", draft.ReplyTo.Single().Address.ToString());
        Assert.Equal(("Your receipt ☺", "…", "<p>…</p>"), (draft.Subject, draft.Text, draft.Html));
        Assert.Equal(("a.pdf", "application/pdf", null), (draft.Attachments[0].Filename, draft.Attachments[0].ContentType, draft.Attachments[0].ContentId));
        Assert.Equal(("ü.png", "application/octet-stream", "logo"), (draft.Attachments[1].Filename, draft.Attachments[1].ContentType, draft.Attachments[1].ContentId));
        Assert.Equal<byte[]>([[0, 1, 2], []], files);
        Assert.Equal(new MessageHeader { Name = "X-Order", Value = "42" }, draft.Headers.Single());
        Assert.Equal("receipt", draft.Tags.Single());
        Assert.Equal("42", draft.Metadata["Order-Id"]);
        Assert.Equal(("<a@acme.example>", "<a@acme.example>"), (draft.References.Single(), draft.InReplyTo));
        Assert.Equal(new DateTimeOffset(2026, 11, 22, 9, 0, 0, TimeSpan.Zero), draft.Date);
        Assert.Equal(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero), draft.SendAt);
        Assert.Equal((RequireTls.Required, ReturnPath.Sender), (draft.RequireTls, draft.ReturnPath));
    }

    [Fact]
    public async Task A_message_with_every_field_that_the_contract_names_is_accepted()
    {
        var answer = await host.PostAsync("/v1/messages", """
            {
              "from": "Acme, Inc. <receipts@acme.example>",
              "to": ["Jane Döe <jane@example.org>", "sam@example.net"],
              "cc": [], "bcc": [], "replyTo": ["help@acme.example"],
              "subject": "Your receipt ☺",
              "text": "…", "html": "<p>…</p>",
              "attachments": [
                {"filename": "receipt.pdf", "contentType": "application/pdf", "content": "JVBERi0xLjQK"},
                {"filename": "logo.png", "contentType": "image/png", "content": "iVBORw0KGgo=", "contentId": "logo"}
              ],
              "headers": [{"name": "X-Order", "value": "42"}],
              "tags": ["receipt"],
              "metadata": {"orderId": "42"},
              "references": ["<a@acme.example>"], "inReplyTo": "<a@acme.example>",
              "messageId": "<m42@acme.example>", "date": "2025-11-22T10:00:00Z",
              "sendAt": "2025-11-23T08:00:00Z",
              "requireTls": "default",
              "returnPath": "unique",
              "saveSent": false
            }
            """);
        Assert.True(answer.Status == 202, answer.Text);
    }

    [Fact]
    public async Task A_copy_in_the_mailbox_is_refused_with_what_is_missing()
    {
        var answer = await host.PostAsync("/v1/messages", """{"to": ["jane@example.org"], "text": "x", "saveSent": true}""");
        Assert.Equal(["/saveSent invalid_value"], answer.Faults);
        Assert.Contains("not available yet", answer.Text);
    }

    [Fact]
    public async Task One_answer_names_every_fault()
    {
        var answer = await host.PostAsync("/v1/messages", """
            {"to": ["jane@", 5, "sam@example.net"], "wrong": 1, "sendAt": "tomorrow", "saveSent": true, "subject": "a\nb", "requireTls": "maybe", "tags": null,
             "attachments": [{"filename": "../a", "content": "A-_A"}, {"contentType": "multipart/mixed", "content": "AAAA"}], "headers": [{"name": "Bcc", "value": "x"}]}
            """);
        Assert.Equal(422, answer.Status);
        Assert.Equal("application/problem+json", answer.ContentHeaders.ContentType?.MediaType);
        Assert.Equal("invalid_request", answer.Code);
        Assert.Equal("about:blank", answer.Json.GetProperty("type").GetString());
        Assert.Equal(422, answer.Json.GetProperty("status").GetInt32());
        Assert.NotEqual("", answer.Json.GetProperty("requestId").GetString());
        Assert.Equal("The request has 14 faults.", answer.Json.GetProperty("title").GetString());
        Assert.Equal(
            [
                "/attachments/0/content invalid_base64", "/attachments/0/filename invalid_value", "/attachments/1/contentType invalid_content_type",
                "/attachments/1/filename required", "/headers/0/name invalid_header", "/requireTls invalid_value", "/saveSent invalid_value", "/sendAt invalid_value",
                "/subject invalid_character", "/tags invalid_type", "/text required", "/to/0 invalid_address", "/to/1 invalid_type", "/wrong unknown_field",
            ],
            answer.Faults.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("""{"to": ["a@b.example"],, "text": "x"}""", "Line 1, byte 24:")]
    [InlineData("{\n  \"to\": [\"a@b.example\"],\n  \"text\": \"x\n\"}", "Line 3, byte 13:")]
    [InlineData("", "Line 1, byte 1:")]
    [InlineData("""{"text": "x"}}""", "Line 1, byte 14:")]
    [InlineData("""{"attachments": [{"content": "AAAAAAAAAAAA", "filename": x}]}""", "Line 1, byte 58:")]
    [InlineData("""{"attachments": [{"content": "AAAA\x"}]}""", "Line 1, byte 36:")]
    public async Task What_is_no_JSON_is_refused_with_its_place(string body, string place)
    {
        var answer = await host.PostAsync("/v1/messages", body);
        Assert.Equal(400, answer.Status);
        Assert.Equal("invalid_json", answer.Code);
        Assert.StartsWith(place, answer.Json.GetProperty("errors")[0].GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Text_that_is_no_UTF8_is_refused()
    {
        var body = new ByteArrayContent([.. "{\"text\": \""u8, 0xC3, 0x28, .. "\"}"u8]);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var answer = await host.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/messages") { Content = body });
        Assert.Equal((400, "invalid_json"), (answer.Status, answer.Code));
        Assert.StartsWith("Line 1, byte 11:", answer.Json.GetProperty("errors")[0].GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Deep_JSON_is_refused()
    {
        var answer = await host.PostAsync("/v1/messages", string.Concat(Enumerable.Repeat("{\"a\":", 10_000)));
        Assert.Equal((400, "invalid_json"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task Another_media_type_is_refused()
    {
        var answer = await host.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/messages") { Content = new StringContent(Least, Encoding.UTF8, "text/plain") });
        Assert.Equal((415, "unsupported_media_type"), (answer.Status, answer.Code));
    }

    [Theory]
    [InlineData("application/json", "gzip", 415)]
    [InlineData("application/json", "identity, gzip", 415)]
    [InlineData("multipart/form-data; boundary=b", "br", 415)]
    [InlineData("application/json; charset=latin1", null, 415)]
    [InlineData("application/json; charset=utf-16", null, 415)]
    [InlineData("application/json; charset=\"UTF-8\"", "identity", 202)]
    [InlineData("application/json; charset=us-ascii", null, 202)]
    public async Task A_body_that_is_encoded_is_refused_and_so_is_another_charset_than_UTF8(string type, string? coding, int status)
    {
        foreach (var path in type.StartsWith("multipart", StringComparison.Ordinal) ? ["/v1/messages"] : new[] { "/v1/messages", "/v1/messages/batch", "/v1/suppressions" })
        {
            var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(Least)) };
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
            if (coding is not null) request.Content.Headers.TryAddWithoutValidation("Content-Encoding", coding);
            var answer = await host.SendAsync(request);
            // What is taken is read, though it is in order for a send alone.
            Assert.Equal(status == 202 && path != "/v1/messages" ? 422 : status, answer.Status);
            if (status == 415) Assert.Equal("unsupported_media_type", answer.Code);
        }
    }

    [Fact]
    public async Task A_body_over_70_MiB_is_refused()
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/messages") { Content = new StreamContent(new MemoryStream(new byte[1])) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Content.Headers.ContentLength = 70 * 1024 * 1024 + 1;
        request.Headers.ExpectContinue = true; // So that the client waits for the refusal, and sends none of it.
        var answer = await host.SendAsync(request);
        Assert.Equal((413, "too_large"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task Text_over_5_MiB_is_refused()
    {
        var answer = await host.PostAsync("/v1/messages", $$"""{"to": ["a@b.example"], "text": "{{new string('x', 5 * 1024 * 1024)}}"}""");
        Assert.Equal((413, "too_large"), (answer.Status, answer.Code));
    }

    [Theory]
    [InlineData("order-42", 202)]
    [InlineData("", 422)]
    [InlineData("ab\u0007c", 422)]
    public async Task An_idempotency_key_is_printable(string key, int status)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/messages") { Content = new StringContent(Least, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        var answer = await SendOrRefuseAsync(request);
        Assert.Contains(answer?.Status ?? 400, status == 202 ? new[] { 202 } : [status, 400]);
        if (status == 202) Assert.Contains(host.Account.Sent, sent => sent.Key == key);
    }

    [Fact]
    public async Task A_refusal_of_the_core_is_the_answer()
    {
        host.Account.NextSend = new RefusalException(Refusal.Unavailable);
        var answer = await host.PostAsync("/v1/messages", Least);
        Assert.Equal((503, "unavailable"), (answer.Status, answer.Code));
        Assert.Equal(TimeSpan.FromSeconds(10), answer.Headers.RetryAfter?.Delta);
    }

    [Fact]
    public async Task A_fault_of_the_program_tells_nothing_of_itself()
    {
        host.Account.NextSend = new InvalidOperationException("secret detail");
        var answer = await host.PostAsync("/v1/messages", Least);
        Assert.Equal((500, "internal_error"), (answer.Status, answer.Code));
        Assert.DoesNotContain("secret", answer.Text);
    }

    private async Task<Answer?> SendOrRefuseAsync(HttpRequestMessage request)
    {
        try
        {
            return await host.SendAsync(request);
        }
        catch (HttpRequestException)
        {
            return null; // The client itself did not let it through.
        }
    }
}
