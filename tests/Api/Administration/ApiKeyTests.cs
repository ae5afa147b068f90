using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Access;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Api.Administration;

public sealed class ApiKeyTests(TestPostgres postgres) : IAsyncLifetime
{
    private StoredApiHost host = null!;

    public async ValueTask InitializeAsync() => host = await StoredApiHost.StartAsync(postgres);

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task A_key_is_shown_once_works_and_is_listed_without_itself()
    {
        var made = await host.PostAsync("/v1/api-keys", new { name = "shop", scopes = new[] { "read" } });
        Assert.True(made.Status == 201, made.Text);
        var key = made.Json.GetProperty("key").GetString()!;

        Assert.Equal(200, (await host.GetAsync("/v1/messages", key)).Status);
        Assert.Equal(403, (await host.PostAsync("/v1/messages", new { to = new[] { "jane@example.org" }, text = "x" }, key)).Status);
        var read = await host.GetAsync(made.Headers.Location!.OriginalString);
        Assert.Equal(("shop", key[..12]), (read.Json.GetProperty("name").GetString(), read.Json.GetProperty("prefix").GetString()));
        Assert.DoesNotContain(key, read.Text + (await host.GetAsync("/v1/api-keys")).Text);
    }

    [Fact]
    public async Task Without_scopes_a_key_may_do_all_but_rule_the_installation()
    {
        var made = await host.PostAsync("/v1/api-keys", new { name = "shop" });
        Assert.Equal(["send", "read", "webhooks", "suppressions"], made.Json.GetProperty("scopes").EnumerateArray().Select(s => s.GetString()));
    }

    [Fact]
    public async Task A_key_without_the_scope_admin_has_nothing_to_do_with_keys()
    {
        var key = await host.KeyAsync("acme", StoredApiHost.AccountScopes);
        var own = (await host.GetAsync("/v1/api-keys")).Json.GetProperty("data")[0].GetProperty("id").GetString();

        foreach (var answer in new[]
        {
            await host.PostAsync("/v1/api-keys", new { name = "mine" }, key), await host.GetAsync("/v1/api-keys", key), await host.GetAsync($"/v1/api-keys/{own}", key),
            await host.PatchAsync($"/v1/api-keys/{own}", new { name = "x" }, key), await host.DeleteAsync($"/v1/api-keys/{own}", key),
        })
            Assert.Equal((403, "missing_scope"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task Who_has_the_accounts_password_manages_its_keys_but_makes_and_touches_none_that_is_stronger()
    {
        await host.PatchAsync(await AcmeAsync(), new { password = "pass:wörd" });
        await host.KeyAsync("stranger", Scopes.Read);
        var all = (await host.GetAsync("/v1/api-keys")).Json.GetProperty("data").EnumerateArray().ToArray();
        var foreign = all.Single(k => k.GetProperty("scopes").GetArrayLength() == 1).GetProperty("id").GetString();
        var admins = all.Single(k => k.GetProperty("scopes").EnumerateArray().Any(s => s.GetString() == "admin")).GetProperty("id").GetString();

        var made = await LoginAsync("POST", "/v1/api-keys", new { name = "shop" });
        Assert.Equal(201, made.Status);
        var mine = made.Headers.Location!.OriginalString;
        Assert.Equal(200, (await LoginAsync("PATCH", mine, new { scopes = new[] { "read" } })).Status);
        Assert.Equal(2, (await LoginAsync("GET", "/v1/api-keys")).Json.GetProperty("data").GetArrayLength());
        Assert.Equal(404, (await LoginAsync("GET", $"/v1/api-keys/{foreign}")).Status);
        Assert.Equal(404, (await LoginAsync("DELETE", $"/v1/api-keys/{foreign}")).Status);
        Assert.Equal((403, "missing_scope"), Refusal(await LoginAsync("POST", "/v1/api-keys", new { name = "root", scopes = new[] { "admin" } })));
        Assert.Equal((403, "missing_scope"), Refusal(await LoginAsync("PATCH", mine, new { scopes = new[] { "admin" } })));
        Assert.Equal((403, "missing_scope"), Refusal(await LoginAsync("PATCH", $"/v1/api-keys/{admins}", new { name = "mine" })));
        Assert.Equal((403, "missing_scope"), Refusal(await LoginAsync("DELETE", $"/v1/api-keys/{admins}")));
        Assert.Equal(204, (await LoginAsync("DELETE", mine)).Status);
    }

    [Fact]
    public async Task A_key_limited_to_domains_sends_from_these_alone()
    {
        await host.PostAsync("/v1/domains", new { name = "shop.example" });
        var made = await host.PostAsync("/v1/api-keys", new { name = "shop", domains = new[] { "Shop.Example" } });
        var key = made.Json.GetProperty("key").GetString();
        Assert.Equal(["shop.example"], made.Json.GetProperty("domains").EnumerateArray().Select(d => d.GetString()));

        Assert.Equal((403, "sender_not_allowed"), Refusal(await SendAsync(key, "receipts@acme.example")));
        Assert.Equal((403, "sender_not_allowed"), Refusal(await SendAsync(key, "receipts@elsewhere.example")));
        Assert.Equal(202, (await SendAsync(key, "orders@shop.example")).Status);
        Assert.Equal(202, (await SendAsync(null, "receipts@acme.example")).Status);
    }

    [Fact]
    public async Task A_sender_that_is_not_allowed_is_named_beside_other_faults()
    {
        await host.PostAsync("/v1/domains", new { name = "shop.example" });
        var key = await MakeAsync(new { name = "shop", domains = new[] { "shop.example" } });
        foreach (var from in new[] { "receipts@acme.example", "receipts@elsewhere.example" })
        {
            var message = new { from, to = new[] { "x" }, text = "x" };
            var alone = await host.PostAsync("/v1/messages", message, key);
            Assert.Equal(422, alone.Status);
            Assert.Equal(["/to/0 invalid_address", "/from sender_not_allowed"], alone.Faults);
            var batch = await host.PostAsync("/v1/messages/batch", new { messages = new[] { message }, foo = 1 }, key);
            Assert.Equal(["/foo unknown_field", "/messages/0/to/0 invalid_address", "/messages/0/from sender_not_allowed"], batch.Faults);
        }
        Assert.Equal(["/to/0 invalid_address"], (await host.PostAsync("/v1/messages", new { from = "orders@shop.example", to = new[] { "x" }, text = "x" }, key)).Faults);
    }

    [Fact]
    public async Task Without_from_a_limited_key_sends_as_the_first_address_of_its_domains()
    {
        await host.PostAsync("/v1/domains", new { name = "shop.example" });
        await host.PostAsync("/v1/domains", new { name = "empty.example" });
        await host.PostAsync(await AcmeAsync() + "/addresses", new { address = "orders@shop.example" });
        var (shop, empty) = (await MakeAsync(new { name = "shop", domains = new[] { "shop.example" } }), await MakeAsync(new { name = "empty", domains = new[] { "empty.example" } }));

        // Neither answers for the other, nor for who is not limited.
        foreach (var (key, from) in new[] { (null, "Acme, Inc. <receipts@acme.example>"), (shop, "orders@shop.example"), (null, "Acme, Inc. <receipts@acme.example>") })
            Assert.Equal(from, (await host.GetAsync($"/v1/messages/{await host.SendMessageAsync(key: key)}")).Json.GetProperty("from").GetString());
        var refused = await host.PostAsync("/v1/messages", new { to = new[] { "jane@example.org" }, text = "x" }, empty);
        Assert.Equal((403, "sender_not_allowed"), Refusal(refused));
        Assert.Contains("no address in the domains that the key is limited to", refused.Text, StringComparison.Ordinal);
        Assert.Contains("limited to other domains", (await SendAsync(empty, "receipts@acme.example")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_key_could_not_have_sent_it_cannot_cancel_or_reschedule()
    {
        await host.PostAsync("/v1/domains", new { name = "shop.example" });
        var (shop, tests) = (await MakeAsync(new { name = "shop", domains = new[] { "shop.example" } }), await MakeAsync(new { name = "tests", test = true }));
        var (real, shops) = (await ScheduleAsync(null, "receipts@acme.example"), await ScheduleAsync(shop, "orders@shop.example"));

        foreach (var (message, key) in new[] { (real, shop), (real, tests), (shops, tests) })
        {
            Assert.Equal((404, "not_found"), Refusal(await host.PatchAsync(message, new { sendAt = TimeProvider.System.GetUtcNow().AddDays(2) }, key)));
            Assert.Equal((404, "not_found"), Refusal(await host.PostAsync(message + "/cancel", null, key)));
        }
        Assert.Equal(200, (await host.PatchAsync(shops, new { sendAt = TimeProvider.System.GetUtcNow().AddDays(2) }, shop)).Status);
        Assert.Equal(200, (await host.PostAsync(shops + "/cancel", null, shop)).Status);
        Assert.Equal(200, (await host.PostAsync(real + "/cancel")).Status);
    }

    [Fact]
    public async Task A_test_key_changes_nothing_that_real_mail_goes_by()
    {
        var tests = await MakeAsync(new { name = "tests", test = true });
        await host.PostAsync("/v1/suppressions", new { address = "sam@example.net" });

        foreach (var answer in new[]
        {
            await host.PostAsync("/v1/suppressions", new { address = "jane@example.org" }, tests), await host.DeleteAsync("/v1/suppressions/sam@example.net", tests),
            await host.PostAsync("/v1/recipients/erase", new { address = "sam@example.net" }, tests),
        })
            Assert.Equal((403, "test_key"), Refusal(answer));
        Assert.Equal(["sam@example.net"], (await host.GetAsync("/v1/suppressions", tests)).Json.GetProperty("data").EnumerateArray().Select(s => s.GetProperty("address").GetString()));
    }

    [Fact]
    public async Task A_limit_to_a_domain_that_is_deleted_leaves_nothing_to_send_from()
    {
        var other = await host.PostAsync("/v1/domains", new { name = "shop.example" });
        var made = await host.PostAsync("/v1/api-keys", new { name = "shop", domains = new[] { "shop.example" } });

        await host.DeleteAsync(other.Headers.Location!.OriginalString);

        Assert.Equal(0, (await host.GetAsync(made.Headers.Location!.OriginalString)).Json.GetProperty("domains").GetArrayLength());
        Assert.Equal((403, "sender_not_allowed"), Refusal(await SendAsync(made.Json.GetProperty("key").GetString(), "receipts@acme.example")));
    }

    [Fact]
    public async Task What_is_sent_with_a_test_key_is_accepted_and_shown_and_never_queued()
    {
        var made = await host.PostAsync("/v1/api-keys", new { name = "tests", test = true });

        var sent = await host.SendMessageAsync(key: made.Json.GetProperty("key").GetString());

        Assert.Equal(["delivered"], await host.StatusesAsync(sent));
        await using (var context = host.Open()) Assert.Empty(context.Queue);

        var real = await host.SendMessageAsync();
        Assert.Equal([false, true], (await host.GetAsync("/v1/messages")).Json.GetProperty("data").EnumerateArray().Select(IsTest));
        foreach (var (message, test) in new[] { (sent, true), (real, false) })
        {
            Assert.Equal(test, IsTest((await host.GetAsync($"/v1/messages/{message}")).Json));
            Assert.All((await host.GetAsync($"/v1/messages/{message}/events")).Json.GetProperty("data").EnumerateArray(), e => Assert.Equal(test, IsTest(e.GetProperty("data").GetProperty("message"))));
        }
    }

    [Fact]
    public async Task A_change_holds_within_about_a_second()
    {
        var made = await host.PostAsync("/v1/api-keys", new { name = "shop", scopes = new[] { "read" } });
        var (path, key) = (made.Headers.Location!.OriginalString, made.Json.GetProperty("key").GetString());
        Assert.Equal(200, (await host.GetAsync("/v1/messages", key)).Status);

        await host.PatchAsync(path, new { scopes = new[] { "webhooks" }, expiresAt = TimeProvider.System.GetUtcNow().AddDays(1) });
        await Eventually.HoldsAsync(async () => (await host.GetAsync("/v1/messages", key)).Status == 403, "a scope that was taken away");
        Assert.True((await host.GetAsync(path)).Json.TryGetProperty("expiresAt", out _));

        Assert.False((await host.PatchAsync(path, new { reset = new[] { "expiresAt" } })).Json.TryGetProperty("expiresAt", out _));
        await host.DeleteAsync(path);
        await Eventually.HoldsAsync(async () => (await host.GetAsync("/v1/webhooks", key)).Status == 401, "a key that is refused");
    }

    [Fact]
    public async Task Everything_that_is_wrong_with_a_key_is_named()
    {
        var wrong = await host.PostAsync("/v1/api-keys", new { name = "", scopes = Array.Empty<string>(), domains = new[] { "acme.example", "elsewhere.example", "-" }, expiresAt = "2020-01-01T00:00:00Z" });
        Assert.Equal(["/name invalid_value", "/scopes invalid_value", "/expiresAt invalid_value", "/domains/1 unknown_reference", "/domains/2 invalid_domain"], wrong.Faults);
        var admin = await host.PostAsync("/v1/api-keys", new { name = "x", scopes = new[] { "admin" }, domains = new[] { "acme.example" }, test = true });
        Assert.Equal(["/domains invalid_value", "/scopes invalid_value"], admin.Faults);
        var nobody = await host.PostAsync("/v1/api-keys", new { name = "x", accountId = "acc_aaaaaaaaaaaaaaaaaaaaaaaaaa" });
        Assert.Equal(["/accountId unknown_reference"], nobody.Faults);
        foreach (var account in new[] { "acc_aaaaaaaaaaaaaaaaaaaaaaaaaa", host.Ids.Make(PublicIdKind.Account, 1L << 40) })
        {
            var both = await host.PostAsync("/v1/api-keys", new { name = "x", accountId = account, domains = new[] { "acme.example", "x y" } });
            Assert.Equal(["/accountId unknown_reference", "/domains/1 invalid_domain"], both.Faults);
        }
    }

    [Fact]
    public async Task A_key_that_is_limited_cannot_become_an_admins()
    {
        var made = await host.PostAsync("/v1/api-keys", new { name = "shop", domains = new[] { "acme.example" } });
        var changed = await host.PatchAsync(made.Headers.Location!.OriginalString, new { scopes = new[] { "admin" } });
        Assert.Equal((422, "/domains invalid_value"), (changed.Status, changed.Faults.Single()));
        Assert.Equal(200, (await host.PatchAsync(made.Headers.Location.OriginalString, new { scopes = new[] { "admin" }, reset = new[] { "domains" } })).Status);
    }

    // Told where it is so, and left out where it is not.
    private static bool IsTest(JsonElement message) => message.TryGetProperty("test", out var test) && test.GetBoolean();

    private async Task<string> MakeAsync(object request) => (await host.PostAsync("/v1/api-keys", request)).Json.GetProperty("key").GetString()!;

    private async Task<string> ScheduleAsync(string? key, string from) =>
        (await host.PostAsync("/v1/messages", new { from, to = new[] { "jane@example.org" }, text = "x", sendAt = TimeProvider.System.GetUtcNow().AddDays(1) }, key)).Headers.Location!.OriginalString;

    private Task<Answer> SendAsync(string? key, string from) => host.PostAsync("/v1/messages", new { from, to = new[] { "jane@example.org" }, text = "x" }, key);

    private Task<Answer> LoginAsync(string method, string path, object? body = null)
    {
        var login = Convert.ToBase64String(Encoding.UTF8.GetBytes("receipts@acme.example:pass:wörd"));
        return host.SendAsync(new HttpRequestMessage(new HttpMethod(method), path)
        {
            Content = body is null ? null : new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json"),
            Headers = { Authorization = new AuthenticationHeaderValue("Basic", login) },
        });
    }

    private async Task<string> AcmeAsync() =>
        "/v1/accounts/" + (await host.GetAsync("/v1/domains")).Json.GetProperty("data")[0].GetProperty("accountId").GetString();

    private static (int, string) Refusal(Answer answer) => (answer.Status, answer.Code);
}
