using System.Text;
using MoxApi.Api.Messages.Searching;
using MoxApi.OpenApi.Messages;
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
    [InlineData("after=aaaaaaaaaaaaaaaaaaaaaaaaaa&before=b", "after invalid_cursor;before invalid_cursor;before invalid_value")]
    [InlineData("limit=0&after=y", "limit invalid_value;after invalid_cursor")]
    [InlineData("page=2", "page unknown_field")]
    public async Task A_wrong_parameter_is_named(string query, string faults)
    {
        foreach (var list in new[] { "/v1/messages", "/v1/messages/msg_1/events", "/v1/webhooks", "/v1/received" })
        {
            var answer = await host.GetAsync($"{list}?{query}");
            Assert.Equal(422, answer.Status);
            Assert.Equal(faults.Split(';'), answer.Faults);
        }
    }

    [Theory]
    [InlineData("tag=%ff", "tag invalid_character")]
    [InlineData("subject=%ed%a0%80", "subject invalid_character")]
    [InlineData("tag=%c3%a9&subject=100%&limit=1&recipient=%C3&count=%e9t%e9", "recipient invalid_character;count invalid_character")]
    [InlineData("%ff=1", "%ff invalid_character")]
    public async Task A_query_that_is_not_UTF8_is_refused(string query, string faults)
    {
        // As it is: .NET would make it canonical.
        var answer = await host.SendAsync(new HttpRequestMessage(HttpMethod.Get, new Uri($"{host.Client.BaseAddress}v1/messages?{query}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true })));
        Assert.Equal((400, "bad_request"), (answer.Status, answer.Code));
        Assert.Equal(faults.Split(';'), answer.Faults);
    }

    [Fact]
    public async Task Filters_are_read_and_combined()
    {
        var answer = await host.GetAsync("/v1/messages?status=delivered&recipient=Jane%2Bx@EXAMPLE.org&tag=a%20b&subject=50%25%20☺&acceptedFrom=2026-11-22T10:00:00%2B01:00&acceptedTo=2026-11-23T00:00:00Z&count=true&limit=5");
        Assert.Equal(200, answer.Status);
        Assert.Equal("""{"data":[],"hasMore":false,"total":10000,"totalIsLowerBound":true}""", answer.Text);
        Assert.Equal(
            new MessageFilter
            {
                Status = RecipientStatus.Delivered,
                Recipient = "jane@example.org",
                Tag = "a b",
                Subject = "50% ☺",
                From = new DateTimeOffset(2026, 11, 22, 9, 0, 0, TimeSpan.Zero),
                To = new DateTimeOffset(2026, 11, 23, 0, 0, 0, TimeSpan.Zero),
                Count = true,
            },
            host.Account.LastFilter);
    }

    [Theory]
    [InlineData("status=Delivered", "status invalid_value")]
    [InlineData("status=", "status invalid_value")]
    [InlineData("recipient=jane", "recipient invalid_address")]
    [InlineData("recipient=a@b.example&recipient=c@d.example", "recipient invalid_value")]
    [InlineData("tag=", "tag invalid_value")]
    [InlineData("subject=ab", "subject invalid_value")]
    [InlineData("subject=a%00bcd", "subject invalid_value")]
    [InlineData("acceptedFrom=2026-11-22", "acceptedFrom invalid_value")]
    [InlineData("count=1", "count invalid_value")]
    [InlineData("from=a@b.example&limit=0&tag=", "from unknown_field;limit invalid_value;tag invalid_value")]
    public async Task A_wrong_filter_is_named(string query, string faults)
    {
        var answer = await host.GetAsync($"/v1/messages?{query}");
        Assert.Equal(422, answer.Status);
        Assert.Equal(faults.Split(';'), answer.Faults);
    }

    [Fact]
    public async Task A_message_is_canceled_and_rescheduled_by_its_id()
    {
        var canceled = await host.PostAsync("/v1/messages/msg_1/cancel", "");
        var request = new HttpRequestMessage(HttpMethod.Patch, "/v1/messages/msg_1") { Content = new StringContent("""{"sendAt": "2026-11-24T09:00:00+01:00"}""", Encoding.UTF8, "application/json") };
        var rescheduled = await host.SendAsync(request);
        Assert.Equal((200, "msg_1"), (canceled.Status, canceled.Json.GetProperty("id").GetString()));
        Assert.Equal((200, "msg_1"), (rescheduled.Status, rescheduled.Json.GetProperty("id").GetString()));
        Assert.Equal(["cancel", "2026-11-24T08:00:00.000Z"], host.Account.Changes);
        Assert.Equal(404, (await host.PostAsync("/v1/messages/msg_2/cancel", "")).Status);
    }

    [Theory]
    [InlineData("{}", "/sendAt required")]
    [InlineData("""{"sendAt": null}""", "/sendAt invalid_type")]
    [InlineData("""{"sendAt": "tomorrow", "subject": "x"}""", "/sendAt invalid_value;/subject unknown_field")]
    public async Task A_faulty_change_is_named(string body, string faults)
    {
        var request = new HttpRequestMessage(HttpMethod.Patch, "/v1/messages/msg_1") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        var answer = await host.SendAsync(request);
        Assert.Equal(422, answer.Status);
        Assert.Equal(faults.Split(';'), answer.Faults);
    }
}
