using System.Text.Json;
using MoxApi.OpenApi;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Events;
using MoxApi.OpenApi.Messages;
using Xunit;

namespace MoxApi.Tests.Api;

public class WireJsonTests
{
    [Theory]
    [InlineData("2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000Z")]
    [InlineData("2026-11-22t10:00:00.5z", "2026-11-22T10:00:00.500Z")]
    [InlineData("2026-11-22T10:00:00.1234567+05:30", "2026-11-22T04:30:00.123Z")]
    [InlineData("2026-11-22T10:00:00-00:00", "2026-11-22T10:00:00.000Z")]
    [InlineData("2026-11-22T10:00:00", null)]
    [InlineData("2026-11-22 10:00:00Z", null)]
    [InlineData("2026-11-22T10:00Z", null)]
    [InlineData("2026-02-30T10:00:00Z", null)]
    [InlineData("2026-11-22T10:00:00+0100", null)]
    [InlineData("2026-11-22T10:00:00.123456789Z", "2026-11-22T10:00:00.123Z")]
    [InlineData("2026-11-22T10:00:00.99999999999+05:30", "2026-11-22T04:30:00.999Z")]
    [InlineData("2026-11-22T10:00:00.123456x89Z", null)]
    [InlineData("2026-11-22T10:0-:00.12", null)]
    [InlineData("2026-11-22T10:00:00.Z", null)]
    [InlineData("2026-11-22T10:00:00.+01:00", null)]
    [InlineData("2026-11-22", null)]
    [InlineData("", null)]
    public void Times_are_RFC_3339_with_an_offset(string text, string? written)
    {
        Assert.Equal(written is not null, WireTime.TryParse(text, out var time));
        if (written is not null) Assert.Equal(written, WireTime.Write(time));
    }

    [Fact]
    public void Every_enumeration_is_written_in_lower_case_and_read_back()
    {
        var types = typeof(WireJson).Assembly.GetExportedTypes().Where(type => type.IsEnum).ToList();
        Assert.NotEmpty(types);
        foreach (var value in types.SelectMany(type => Enum.GetValues(type).Cast<object>()))
        {
            var json = JsonSerializer.Serialize(value, value.GetType(), WireJson.Options);
            Assert.Matches("^\"[a-z0-9]+([._][a-z0-9]+)*\"$", json);
            Assert.Equal(value, JsonSerializer.Deserialize(json, value.GetType(), WireJson.Options));
        }
        Assert.Equal("\"mailbox_not_found\"", JsonSerializer.Serialize(FailureClass.MailboxNotFound, WireJson.Options));
        Assert.Equal("\"message.delivered\"", JsonSerializer.Serialize(EventType.MessageDelivered, WireJson.Options));
    }

    [Fact]
    public void Answers_may_get_more_fields_and_requests_may_not()
    {
        Assert.NotNull(JsonSerializer.Deserialize<Fault>("""{"code": "a", "detail": "b", "more": 1}""", WireJson.Options));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<SendMessageRequest>("""{"more": 1}""", WireJson.Options));
    }
}
