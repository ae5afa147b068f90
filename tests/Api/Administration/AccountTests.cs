using System.Net.Http.Headers;
using System.Text;
using MoxApi.OpenApi.Access;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Api.Administration;

public sealed class AccountTests(TestPostgres postgres) : IAsyncLifetime
{
    private StoredApiHost host = null!;

    public async ValueTask InitializeAsync() => host = await StoredApiHost.StartAsync(postgres);

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task An_account_is_made_read_changed_and_taken_back_to_its_defaults()
    {
        var made = await host.PostAsync("/v1/accounts", new { name = "shop", retrySchedule = "30s 5m", queueHours = 12, pauseBouncePercent = 7.5, keepContentDays = 0, password = "pass word" });
        Assert.True(made.Status == 201, made.Text);
        var path = made.Headers.Location!.OriginalString;
        Assert.Equal(("shop", "active", 12, 7.5, true), (Text(made, "name"), Text(made, "status"), made.Json.GetProperty("queueHours").GetInt32(), made.Json.GetProperty("pauseBouncePercent").GetDouble(), made.Json.GetProperty("hasPassword").GetBoolean()));
        Assert.DoesNotContain("pass word", made.Text);

        var changed = await host.PatchAsync(path, new { name = "store", returnPath = "sender", reset = new[] { "keepContentDays", "password", "queueHours" } });
        Assert.Equal(200, changed.Status);
        var read = await host.GetAsync(path);
        Assert.Equal(changed.Text, read.Text);
        Assert.Equal(("store", "sender", "30s 5m", 48, false), (Text(read, "name"), Text(read, "returnPath"), Text(read, "retrySchedule"), read.Json.GetProperty("queueHours").GetInt32(), read.Json.GetProperty("hasPassword").GetBoolean()));
        Assert.False(read.Json.TryGetProperty("keepContentDays", out _));
    }

    [Fact]
    public async Task A_name_that_is_taken_is_refused()
    {
        var again = await host.PostAsync("/v1/accounts", new { name = "acme" });
        Assert.Equal((409, "already_exists"), (again.Status, again.Code));
        var other = await host.PostAsync("/v1/accounts", new { name = "other" });
        var renamed = await host.PatchAsync(other.Headers.Location!.OriginalString, new { name = "acme" });
        Assert.Equal((409, "already_exists"), (renamed.Status, renamed.Code));
    }

    [Fact]
    public async Task What_is_taken_is_no_error_in_the_log()
    {
        Assert.Equal(409, (await host.PostAsync("/v1/accounts", new { name = "acme" })).Status);
        Assert.Equal(409, (await host.PostAsync(await AcmeAsync() + "/addresses", new { address = "receipts@acme.example" })).Status);
        var other = await host.PostAsync("/v1/accounts", new { name = "other" });
        Assert.Equal(409, (await host.PatchAsync(other.Headers.Location!.OriginalString, new { name = "acme" })).Status);
        Assert.Empty(host.Log.Errors);
    }

    [Fact]
    public async Task Everything_that_is_wrong_is_named()
    {
        var answer = await host.PostAsync("/v1/accounts", new { name = "", password = "short", retrySchedule = "soon", queueHours = 241, pauseBouncePercent = 0, pauseComplaintPercent = 100.1, keepContentDays = -1, keepMessageDays = 0, keepWebhookDays = 4000 });
        Assert.Equal(422, answer.Status);
        Assert.Equal(
            ["/keepContentDays", "/keepMessageDays", "/keepWebhookDays", "/name", "/password", "/pauseBouncePercent", "/pauseComplaintPercent", "/queueHours", "/retrySchedule"],
            answer.Faults.Select(f => f.Split(' ')[0]).Order(StringComparer.Ordinal));
        Assert.All(answer.Faults, fault => Assert.EndsWith("invalid_value", fault));
    }

    [Fact]
    public async Task What_cannot_be_reset_or_is_given_as_well_is_named()
    {
        var answer = await host.PatchAsync(await AcmeAsync(), new { queueHours = 12, reset = new[] { "queueHours", "name" } });
        Assert.Equal(422, answer.Status);
        Assert.Equal(["/reset/0 invalid_value", "/reset/1 invalid_value"], answer.Faults);
    }

    [Fact]
    public async Task Accounts_are_listed_newest_first_page_by_page()
    {
        foreach (var name in new[] { "b", "c", "d" }) await host.PostAsync("/v1/accounts", new { name });
        var first = await host.GetAsync("/v1/accounts?limit=3");
        var second = await host.GetAsync($"/v1/accounts?limit=3&after={Text(first, "next")}");
        var back = await host.GetAsync($"/v1/accounts?limit=3&before={Text(second, "previous")}");
        Assert.Equal(["d", "c", "b"], Names(first));
        Assert.Equal(["acme"], Names(second));
        Assert.Equal(Names(first), Names(back));
        Assert.Equal(422, (await host.GetAsync("/v1/accounts?after=abc")).Status);
    }

    [Fact]
    public async Task A_key_reads_its_own_account_and_no_other()
    {
        var key = await host.KeyAsync("tenant", Scopes.Read);
        var all = await host.GetAsync("/v1/accounts");
        var own = all.Json.GetProperty("data").EnumerateArray().Single(a => a.GetProperty("name").GetString() == "tenant").GetProperty("id").GetString();

        Assert.Equal(200, (await host.GetAsync($"/v1/accounts/{own}", key)).Status);
        Assert.Equal(200, (await host.GetAsync($"/v1/accounts/{own}/addresses", key)).Status);
        Assert.Equal(404, (await host.GetAsync(await AcmeAsync(), key)).Status);
        Assert.Equal(404, (await host.GetAsync($"{await AcmeAsync()}/addresses", key)).Status);
        Assert.Equal(403, (await host.GetAsync("/v1/accounts", key)).Status);
    }

    [Fact]
    public async Task Addresses_are_added_listed_renamed_and_removed()
    {
        var addresses = $"{await AcmeAsync()}/addresses";
        var added = await host.PostAsync(addresses, new { address = "Jané@ACME.example", displayName = "Jané" });
        Assert.True(added.Status == 201, added.Text);
        Assert.Equal("jané@acme.example", Text(added, "address"));
        var path = added.Headers.Location!.OriginalString;
        var read = await host.GetAsync(path);
        Assert.Equal((200, added.Text), (read.Status, read.Text));
        Assert.Equal(404, (await host.GetAsync(path, await host.KeyAsync("tenant", Scopes.Read))).Status);

        Assert.Equal(["jané@acme.example", "receipts@acme.example"], Data(await host.GetAsync(addresses), "address"));
        Assert.False((await host.PatchAsync(path, new { displayName = "" })).Json.TryGetProperty("displayName", out _));
        Assert.Equal((409, "already_exists"), await RefusalAsync(host.PostAsync(addresses, new { address = "JANÉ@acme.example" })));
        var elsewhere = await host.PostAsync(addresses, new { address = "jane@elsewhere.example" });
        Assert.Equal((422, "/address unknown_reference"), (elsewhere.Status, elsewhere.Faults.Single()));
        Assert.Equal(204, (await host.DeleteAsync(path)).Status);
        Assert.Equal(404, (await host.DeleteAsync(path)).Status);
    }

    [Fact]
    public async Task Without_its_last_address_an_account_is_readable_and_sends_from_its_domain_where_it_is_told_to()
    {
        var addresses = await host.GetAsync($"{await AcmeAsync()}/addresses");
        var only = addresses.Json.GetProperty("data")[0].GetProperty("id").GetString();

        Assert.Equal(204, (await host.DeleteAsync($"{await AcmeAsync()}/addresses/{only}")).Status);

        Assert.Equal(200, (await host.GetAsync(await AcmeAsync())).Status);
        Assert.Empty(Data(await host.GetAsync($"{await AcmeAsync()}/addresses"), "address"));
        Assert.Equal((403, "sender_not_allowed"), await RefusalAsync(host.PostAsync("/v1/messages", new { to = new[] { "jane@example.org" }, text = "x" })));
        await host.SendMessageAsync(from: "anybody@acme.example");
    }

    [Fact]
    public async Task A_password_that_was_set_logs_in_at_once_and_one_that_was_reset_does_not()
    {
        await host.PatchAsync(await AcmeAsync(), new { password = "pass:wörd" });
        Assert.Equal(200, await LoginAsync("pass:wörd"));
        await host.PatchAsync(await AcmeAsync(), new { reset = new[] { "password" } });
        Assert.Equal(401, await LoginAsync("pass:wörd"));
    }

    private async Task<int> LoginAsync(string password)
    {
        var login = Convert.ToBase64String(Encoding.UTF8.GetBytes($"receipts@acme.example:{password}"));
        return (await host.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/v1/messages") { Headers = { Authorization = new AuthenticationHeaderValue("Basic", login) } })).Status;
    }

    private async Task<string> AcmeAsync() =>
        "/v1/accounts/" + (await host.GetAsync("/v1/accounts")).Json.GetProperty("data").EnumerateArray().Single(a => a.GetProperty("name").GetString() == "acme").GetProperty("id").GetString();

    private static async Task<(int, string)> RefusalAsync(Task<Answer> answer) => ((await answer).Status, (await answer).Code);

    private static string? Text(Answer answer, string field) => answer.Json.GetProperty(field).GetString();

    private static string?[] Names(Answer page) => Data(page, "name");

    private static string?[] Data(Answer page, string field) => [.. page.Json.GetProperty("data").EnumerateArray().Select(a => a.GetProperty(field).GetString())];
}
