using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using MoxApi.Api.Messages;
using Xunit;

namespace MoxApi.Tests.Api;

public class SendFormTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string Least = """{"to": ["jane@example.org"], "text": "Hi"}""";

    [Fact]
    public async Task A_form_is_the_message_that_the_JSON_with_the_same_files_is()
    {
        var json = await host.PostAsync("/v1/messages", """
            {"to": ["jane@example.org"], "text": "Hi", "messageId": "<as-json@acme.example>", "attachments": [
              {"filename": "in.bin", "content": "/w=="}, {"filename": "a b.pdf", "contentType": "application/pdf", "content": "AAEC"}, {"filename": "☺.png", "contentType": "image/png", "content": "", "contentId": "logo"}]}
            """);
        // A file ahead of the message, one after it, and one within.
        var form = await SendAsync(
            Part("attachment", [0, 1, 2], "filename=\"a b.pdf\"", "Content-Type: application/pdf"),
            Part("message", """{"to": ["jane@example.org"], "text": "Hi", "messageId": "<as-json@acme.example>", "attachments": [{"filename": "in.bin", "content": "/w=="}]}"""),
            Part("attachment", [], "filename=\"☺.png\"", "content-type: image/png", "Content-ID: <logo>"));

        Assert.Equal((202, 202), (json.Status, form.Status));
        var both = host.Account.Sent.Where(sent => sent.Draft.MessageId == "<as-json@acme.example>").ToList();
        Assert.Equal<byte[]>([[0xFF], [0, 1, 2], []], both[1].Files);
        Assert.Equal(both[0].Draft.Attachments.Select(a => (a.Filename, a.ContentType, a.ContentId)), both[1].Draft.Attachments.Select(a => (a.Filename, a.ContentType, a.ContentId)));
        Assert.Equal(Fingerprint.Of(both[0].Draft, false), Fingerprint.Of(both[1].Draft, false));
    }

    [Theory]
    [InlineData("filename=\"plain.txt\"", "plain.txt")]
    [InlineData("filename=plain.txt", "plain.txt")]
    [InlineData("filename=\"Rechnung ü ☺.pdf\"", "Rechnung ü ☺.pdf")]
    [InlineData("filename=\"a \\\"quoted\\\" one.txt\"", "a \"quoted\" one.txt")]
    [InlineData("filename=\"=?utf-8?B?w7wudHh0?=\"; filename*=utf-8''%C3%BC.txt", "ü.txt")]
    [InlineData("filename=\"a;b, c.txt\"", "a;b, c.txt")]
    public async Task File_names_are_read_as_clients_write_them(string parameter, string name)
    {
        var message = JsonSerializer.Serialize(new { to = new[] { "jane@example.org" }, text = parameter });
        Assert.Equal(202, (await SendAsync(Part("message", message), Part("attachment", [1], parameter))).Status);
        Assert.Equal(name, host.Account.Sent.Single(sent => sent.Draft.Text == parameter).Draft.Attachments.Single().Filename);
    }

    [Fact]
    public async Task The_platforms_own_client_and_its_defaults_work()
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent("""{"to": ["jane@example.org"], "text": "Hi", "messageId": "<platform@acme.example>"}"""), "message" },
            { new ByteArrayContent([1, 2]), "attachment", "ü.bin" },
        };
        var answer = await host.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/messages") { Content = form });
        Assert.Equal(202, answer.Status);
        var file = host.Account.Sent.Single(sent => sent.Draft.MessageId == "<platform@acme.example>").Draft.Attachments.Single();
        Assert.Equal(("ü.bin", "application/octet-stream", null), (file.Filename, file.ContentType, file.ContentId));
    }

    [Fact]
    public async Task One_answer_names_every_fault_of_the_message_and_the_parts()
    {
        var answer = await SendAsync(
            Part("attachment", [1], "filename=\"../a\"", "Content-Type: multipart/mixed"),
            Part("attachment", [1], "x=y", "Content-Transfer-Encoding: base64"),
            Part("message", """{"to": ["jane@"], "attachments": [{"filename": "in", "content": "A-_A"}]}"""),
            Part("message", Least),
            Part("file", [1], "filename=\"b\""),
            "Content-Type: text/plain\r\n\r\nnameless"u8.ToArray());
        Assert.Equal(422, answer.Status);
        Assert.Equal(
            [
                "/attachments/0/content invalid_base64", "/attachments/1/contentType invalid_content_type", "/attachments/1/filename invalid_value",
                "/attachments/2/content invalid_value", "/attachments/2/filename required", "/text required", "/to/0 invalid_address",
                "Content-Disposition invalid_header", "file unknown_field", "message duplicate_field",
            ],
            answer.Faults.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_filename_that_is_no_UTF8_is_refused()
    {
        byte[] part = [.. "Content-Disposition: form-data; name=\"attachment\"; filename=\""u8, 0xFF, 0xFE, .. "\"\r\n\r\nx"u8];
        Assert.Equal(["/attachments/0/filename invalid_character"], (await SendAsync(Part("message", Least), part)).Faults);
    }

    [Fact]
    public async Task A_form_needs_its_message() =>
        Assert.Equal(["message required", "/to required", "/text required"], (await SendAsync(Part("attachment", [1], "filename=\"a\""))).Faults);

    [Fact]
    public async Task The_message_part_names_the_place_of_what_is_no_JSON()
    {
        var answer = await SendAsync(Part("message", "{\n\"to\": [}"));
        Assert.Equal((400, "invalid_json"), (answer.Status, answer.Code));
        Assert.StartsWith("Line 2, byte 8:", answer.Json.GetProperty("errors")[0].GetProperty("detail").GetString());
    }

    [Fact]
    public async Task The_message_part_is_at_most_5_MiB()
    {
        var answer = await SendAsync(Part("message", $$"""{"to": ["a@b.example"], "text": "{{new string('x', 5 * 1024 * 1024)}}"}"""));
        Assert.Equal((413, "too_large"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task There_are_at_most_100_files_and_the_form_is_not_read_forever()
    {
        var files = Enumerable.Repeat(Part("attachment", [1], "filename=\"a\""), 101);
        Assert.Equal(["attachment too_many"], (await SendAsync([Part("message", Least), .. files])).Faults);
        Assert.Equal(100, (await SendAsync(Enumerable.Repeat(Part("x", [1], "y=z"), 10_000).ToArray())).Faults.Length);
    }

    [Theory]
    [InlineData("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n{\"to\": [\"a@b.example\"], \"text\": \"x\"}")]
    [InlineData("multipart/form-data; boundary=b", "--b\r\nno header\r\n\r\nx\r\n--b--\r\n")]
    [InlineData("multipart/form-data; boundary=b", "nothing")]
    [InlineData("multipart/form-data; boundary=b", "")]
    [InlineData("multipart/form-data", "--b--\r\n")]
    [InlineData("multipart/form-data; boundary=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "--b--\r\n")]
    public async Task What_is_no_form_is_refused(string type, string body)
    {
        var answer = await PostAsync(type, Encoding.UTF8.GetBytes(body));
        Assert.Equal((400, "bad_request"), (answer.Status, answer.Code));
    }

    [Theory]
    [InlineData(20_000, 1)]
    [InlineData(100, 100)]
    public async Task The_header_of_a_part_is_bounded(int length, int count)
    {
        var header = string.Concat(Enumerable.Range(0, count).Select(n => $"X-{n}: {new string('x', length)}\r\n"));
        var answer = await PostAsync("multipart/form-data; boundary=b", Encoding.UTF8.GetBytes($"--b\r\nContent-Disposition: form-data; name=\"message\"\r\n{header}\r\n{Least}\r\n--b--\r\n"));
        Assert.Equal((400, "bad_request"), (answer.Status, answer.Code));
    }

    [Theory]
    [InlineData("Basic", "https://evil.example", 401)]
    [InlineData("Basic", "null", 401)]
    [InlineData("Basic", null, 202)]
    [InlineData("Basic", "own", 202)]
    [InlineData("Bearer", "https://app.acme.example", 202)]
    public async Task A_page_of_another_site_cannot_send_with_a_remembered_login(string scheme, string? origin, int status)
    {
        using var form = new MultipartFormDataContent { { new StringContent(Least), "message" } };
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/messages") { Content = form };
        if (scheme == "Basic") request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String("sam@acme.example:pass"u8));
        if (origin is not null) request.Headers.Add("Origin", origin == "own" ? host.Client.BaseAddress!.GetLeftPart(UriPartial.Authority) : origin);
        Assert.Equal(status, (await host.SendAsync(request)).Status);
    }

    private Task<Answer> SendAsync(params byte[][] parts)
    {
        var body = new MemoryStream();
        foreach (var part in parts)
        {
            body.Write("--b\r\n"u8);
            body.Write(part);
            body.Write("\r\n"u8);
        }
        body.Write("--b--\r\n"u8);
        return PostAsync("multipart/form-data; boundary=b", body.ToArray());
    }

    private Task<Answer> PostAsync(string type, byte[] body)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        return host.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/messages") { Content = content });
    }

    private static byte[] Part(string name, string text) => Part(name, Encoding.UTF8.GetBytes(text));

    private static byte[] Part(string name, byte[] content, string parameter = "", params string[] headers) =>
    [
        .. Encoding.UTF8.GetBytes($"Content-Disposition: form-data; name=\"{name}\"{(parameter.Length > 0 ? "; " : "")}{parameter}\r\n{string.Concat(headers.Select(h => h + "\r\n"))}\r\n"),
        .. content,
    ];
}
