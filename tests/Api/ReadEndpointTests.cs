using Xunit;

namespace MoxApi.Tests.Api;

public class ReadEndpointTests(ApiHost host) : IClassFixture<ApiHost>
{
    [Fact]
    public async Task What_is_absent_is_left_out_and_text_is_readable()
    {
        var answer = await host.GetAsync("/v1/messages/msg_1");
        Assert.Contains("\"subject\":\"Ünïcode ☺ & <b>\"", answer.Text);
        Assert.Contains("\"metadata\":{\"OrderId\":\"42\"}", answer.Text);
        Assert.Contains("\"acceptedAt\":\"2026-11-22T10:00:00.123Z\"", answer.Text);
        Assert.DoesNotContain("null", answer.Text);
        Assert.DoesNotContain("lastAttempt", answer.Text);
    }

    [Fact]
    public async Task The_raw_message_is_a_download_and_never_a_page()
    {
        foreach (var path in new[] { "/v1/messages/msg_1/raw", "/v1/received/msg_1/raw" })
        {
            var answer = await host.GetAsync(path);
            Assert.Equal("A: b\r\n\n", answer.Text);
            Assert.Equal("message/rfc822", answer.ContentHeaders.ContentType?.MediaType);
            Assert.Equal("attachment", answer.ContentHeaders.ContentDisposition?.DispositionType);
            Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        }
    }

    [Theory]
    [InlineData("limit=0", "limit invalid_value")]
    [InlineData("limit=101", "limit invalid_value")]
    [InlineData("limit=ten", "limit invalid_value")]
    [InlineData("limit=1&limit=2", "limit invalid_value")]
    [InlineData("after=", "after invalid_cursor")]
    [InlineData("after=a%20b", "after invalid_cursor")]
    [InlineData("after=a&before=b", "before invalid_value")]
    [InlineData("page=2", "page unknown_field")]
    public async Task A_wrong_parameter_is_named(string query, string fault)
    {
        foreach (var list in new[] { "/v1/messages", "/v1/messages/msg_1/events", "/v1/webhooks", "/v1/received" })
        {
            var answer = await host.GetAsync($"{list}?{query}");
            Assert.Equal(422, answer.Status);
            Assert.Equal([fault], answer.Faults);
        }
    }
}
