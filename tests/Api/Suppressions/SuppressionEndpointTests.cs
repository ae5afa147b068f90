using Xunit;

namespace MoxApi.Tests.Api.Suppressions;

public class SuppressionEndpointTests(ApiHost api) : IClassFixture<ApiHost>
{
    [Fact]
    public async Task An_address_is_added_found_in_another_spelling_and_removed()
    {
        var made = await api.PostAsync("/v1/suppressions", """{"address": "Jane+news@Example.org", "detail": "Asked by telephone"}""");
        Assert.Equal(201, made.Status);
        Assert.Equal("/v1/suppressions/Jane%2Bnews%40example.org", made.Headers.Location!.ToString());
        Assert.Equal("jane@example.org", made.Json.GetProperty("baseAddress").GetString());
        Assert.Equal("manual", made.Json.GetProperty("reason").GetString());

        Assert.Equal("Asked by telephone", (await api.GetAsync("/v1/suppressions/jane%40example.org")).Json.GetProperty("detail").GetString());
        Assert.Equal(1, (await api.GetAsync("/v1/suppressions?reason=manual")).Json.GetProperty("data").GetArrayLength());
        Assert.Equal(0, (await api.GetAsync("/v1/suppressions?reason=bounce")).Json.GetProperty("data").GetArrayLength());

        Assert.Equal(204, (await api.SendAsync(new(HttpMethod.Delete, "/v1/suppressions/JANE@example.org"))).Status);
        Assert.Equal(404, (await api.GetAsync("/v1/suppressions/jane@example.org")).Status);
        Assert.Equal(404, (await api.SendAsync(new(HttpMethod.Delete, "/v1/suppressions/jane@example.org"))).Status);
    }

    [Theory]
    [InlineData("a/b@example.org")]
    [InlineData("a%2Fb@example.org")]
    [InlineData("a%b/ü@example.org")]
    public async Task An_address_with_any_character_is_where_its_entry_says(string address)
    {
        var made = await api.PostAsync("/v1/suppressions", $$"""{"address": "{{address}}"}""");
        Assert.Equal(201, made.Status);
        var path = made.Headers.Location!.OriginalString;

        var found = await api.GetAsync(path);
        Assert.Equal((200, address), (found.Status, found.Status == 200 ? found.Json.GetProperty("address").GetString() : found.Text));
        Assert.Equal(200, (await api.GetAsync(path.Replace("%2F", "%2f", StringComparison.Ordinal) + "/?")).Status);
        Assert.Equal(204, (await api.SendAsync(new(HttpMethod.Delete, path))).Status);
        Assert.Equal(404, (await api.GetAsync(path)).Status);
    }

    [Fact]
    public async Task Every_fault_of_an_entry_is_named()
    {
        var answer = await api.PostAsync("/v1/suppressions", """{"address": "jane", "detail": "a\nb", "expiresAt": "2001-01-01T00:00:00Z", "why": 1}""");

        Assert.Equal(422, answer.Status);
        Assert.Equal(["/why unknown_field", "/address invalid_address", "/detail invalid_character", "/expiresAt invalid_value"], answer.Faults);
    }

    [Theory, InlineData("/v1/suppressions?reason=bounced&limit=0&x=1", "x unknown_field", "limit invalid_value", "reason invalid_value"), InlineData("/v1/suppressions/jane", "address invalid_address")]
    public async Task Faults_of_parameters_are_named(string path, params string[] faults)
    {
        var answer = await api.GetAsync(path);

        Assert.Equal(422, answer.Status);
        Assert.Equal(faults, answer.Faults);
    }
}
