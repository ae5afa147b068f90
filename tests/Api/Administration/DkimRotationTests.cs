using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Time.Testing;
using MoxApi.Api.Domains;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Api.Administration;

public sealed class DkimRotationTests(TestPostgres postgres) : IAsyncLifetime
{
    // Not before the keys of the installation, which were made by the system's clock.
    private readonly FakeTimeProvider time = new(TimeProvider.System.GetUtcNow());
    private StoredApiHost host = null!;
    private string domain = null!;
    private string keys = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        host = await StoredApiHost.StartAsync(postgres, time);
        domain = "/v1/domains/" + (await host.GetAsync("/v1/domains")).Json.GetProperty("data")[0].GetProperty("id").GetString();
        keys = $"{domain}/dkim-keys";
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task New_keys_are_published_first_then_sign_and_the_old_ones_stay_published_while_they_are_needed()
    {
        var old = await SelectorsAsync("active");
        var made = await host.PostAsync(keys, new { });
        Assert.True(made.Status == 201, made.Text);
        var next = await SelectorsAsync("next");
        Assert.Equal(2, next.Count);
        Assert.Equal([.. old, .. next], await PublishedAsync());
        Assert.Equal(old, await SignedByAsync());

        Assert.Equal(200, (await host.PostAsync($"{keys}/activate")).Status);

        Assert.Equal(next, await SelectorsAsync("active"));
        Assert.Equal(old, await SelectorsAsync("retired"));
        Assert.Equal([.. old, .. next], await PublishedAsync());
        // What was found out about senders holds for two seconds.
        await Eventually.HoldsAsync(async () => next.SequenceEqual(await SignedByAsync()), "a message that the new keys signed");
    }

    [Fact]
    public async Task A_retired_key_is_removable_when_nothing_unsent_needs_it()
    {
        var old = await SelectorsAsync("active");
        await host.SendMessageAsync();
        await host.PostAsync(keys, new { });
        await host.PostAsync($"{keys}/activate");
        var neededUntil = (await KeysAsync()).Single(k => k.GetProperty("selector").GetString() == old[0]).GetProperty("neededUntil").GetDateTimeOffset();
        // The queue's life, and a day for those who verify late.
        Assert.InRange(neededUntil, time.GetUtcNow().AddHours(72), time.GetUtcNow().AddHours(74));
        Assert.Equal((409, "conflict"), await RefusalAsync(host.DeleteAsync($"{keys}/{old[0]}")));

        time.SetUtcNow(neededUntil);

        Assert.Equal(old, await SelectorsAsync("removable"));
        Assert.Equal(await SelectorsAsync("active"), await PublishedAsync());
        Assert.Equal(204, (await host.DeleteAsync($"{keys}/{old[0]}")).Status);
        Assert.Equal(404, (await host.DeleteAsync($"{keys}/{old[0]}")).Status);
        Assert.Equal([old[1]], await SelectorsAsync("removable"));
    }

    [Fact]
    public async Task A_key_that_signed_nothing_stays_published_for_an_hour_after_it_retired()
    {
        await host.PostAsync(keys, new { });
        await host.PostAsync($"{keys}/activate");
        Assert.Equal(2, (await SelectorsAsync("retired")).Count);
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(2, (await SelectorsAsync("removable")).Count);
    }

    [Fact]
    public async Task New_keys_take_over_at_the_time_that_was_set()
    {
        var old = await SelectorsAsync("active");
        var at = time.GetUtcNow().AddHours(5);
        await host.PostAsync(keys, new { activateAt = at });
        Assert.All((await KeysAsync()).Where(k => k.GetProperty("status").GetString() == "next"), key => Assert.Equal(at, key.GetProperty("activatesAt").GetDateTimeOffset(), TimeSpan.FromMilliseconds(1)));
        Assert.DoesNotContain((await KeysAsync()).Where(k => k.GetProperty("status").GetString() == "active"), key => key.TryGetProperty("retiredAt", out _));

        time.Advance(TimeSpan.FromHours(5) - TimeSpan.FromSeconds(1));
        Assert.Equal(0, await host.Get<StoredDkimKeys>().RotateDueAsync(Cancel));
        Assert.Equal(old, await SelectorsAsync("active"));

        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, await host.Get<StoredDkimKeys>().RotateDueAsync(Cancel));
        Assert.Equal(old, await SelectorsAsync("retired"));
        Assert.Equal(2, (await SelectorsAsync("active")).Count);
        Assert.Equal(0, await host.Get<StoredDkimKeys>().RotateDueAsync(Cancel));
    }

    [Fact]
    public async Task A_change_whose_new_keys_were_deleted_does_not_come()
    {
        var old = await SelectorsAsync("active");
        await host.PostAsync(keys, new { activateAt = time.GetUtcNow().AddHours(5) });
        foreach (var next in await SelectorsAsync("next")) Assert.Equal(204, (await host.DeleteAsync($"{keys}/{next}")).Status);

        time.Advance(TimeSpan.FromHours(6));

        Assert.Equal(0, await host.Get<StoredDkimKeys>().RotateDueAsync(Cancel));
        Assert.Equal(old, await SelectorsAsync("active"));
    }

    [Fact]
    public async Task What_would_leave_the_domain_unsigned_or_makes_no_sense_is_refused()
    {
        var old = await SelectorsAsync("active");
        Assert.Equal((409, "conflict"), await RefusalAsync(host.PostAsync($"{keys}/activate")));
        Assert.Equal((409, "conflict"), await RefusalAsync(host.DeleteAsync($"{keys}/{old[0]}")));
        Assert.Equal(200, (await host.PostAsync($"{keys}/{old[0]}/retire")).Status);
        Assert.Equal((409, "conflict"), await RefusalAsync(host.PostAsync($"{keys}/{old[0]}/retire")));
        Assert.Equal((409, "conflict"), await RefusalAsync(host.PostAsync($"{keys}/{old[1]}/retire")));
        await host.PostAsync(keys, new { });
        Assert.Equal((409, "conflict"), await RefusalAsync(host.PostAsync(keys, new { })));
        Assert.Equal(404, (await host.PostAsync($"{keys}/none/retire")).Status);
        Assert.Equal((422, "invalid_request"), await RefusalAsync(host.PostAsync(keys, new { activateAt = time.GetUtcNow().AddSeconds(-1) })));
    }

    [Fact]
    public async Task No_private_key_is_shown()
    {
        await using var context = host.Open();
        var sealedKeys = await context.DkimKeys.Select(k => k.SealedPrivateKey).ToListAsync(Cancel);
        var shown = (await host.GetAsync(domain)).Text + (await host.GetAsync(keys)).Text;
        Assert.All(sealedKeys, key => Assert.DoesNotContain(Convert.ToBase64String(key)[..20], shown));
        Assert.DoesNotContain("private", shown, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task What_is_for_later_is_signed_for_as_long_as_it_may_be_put_off_and_its_key_is_needed_so_long()
    {
        await host.SendMessageAsync();
        var sendAt = TimeProvider.System.GetUtcNow().AddDays(30);
        Assert.Equal(202, (await host.PostAsync("/v1/messages", new { to = new[] { "jane@example.org" }, text = "x", sendAt })).Status);

        await using var context = host.Open();
        var message = context.Messages.Single(m => m.SendAt != null);
        var life = TimeSpan.FromSeconds(context.Accounts.Single(a => a.Id == message.AccountId).QueueLifeSeconds);
        var last = message.AcceptedAt.AddDays(60) + life;
        var expiries = Regex.Matches(Encoding.ASCII.GetString(message.Header), @"\bx=(\d+);").Select(m => long.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(2, expiries.Count);
        Assert.All(expiries, expiry => Assert.InRange(expiry, last.ToUnixTimeSeconds(), last.AddDays(2).ToUnixTimeSeconds()));
        Assert.All(context.DkimKeys.Where(k => k.Active), k => Assert.InRange(k.NeededUntil!.Value, last, last.AddDays(2)));
        Assert.All(context.Queue.ToList(), row => Assert.Equal(row.DueAt + life, row.ExpiresAt));
    }

    private async Task<JsonElement[]> KeysAsync() => [.. (await host.GetAsync(keys)).Json.GetProperty("data").EnumerateArray().OrderBy(k => k.GetProperty("selector").GetString(), StringComparer.Ordinal)];

    private async Task<List<string>> SelectorsAsync(string status) =>
        [.. (await KeysAsync()).Where(k => k.GetProperty("status").GetString() == status).Select(k => k.GetProperty("selector").GetString()!)];

    private async Task<List<string>> PublishedAsync() =>
        [.. (await host.GetAsync(domain)).Json.GetProperty("records").EnumerateArray().Select(r => r.GetProperty("name").GetString()!)
            .Where(n => n.EndsWith("._domainkey.acme.example", StringComparison.Ordinal)).Select(n => n.Split('.')[0])
            .OrderBy(n => n.Length).ThenBy(n => n, StringComparer.Ordinal)];

    private async Task<List<string>> SignedByAsync()
    {
        var raw = (await host.GetAsync($"/v1/messages/{await host.SendMessageAsync()}/raw")).Text;
        var signatures = raw.ReplaceLineEndings("").Split("DKIM-Signature:")[1..];
        return [.. signatures.Select(s => s.Split("s=")[1].Split(';')[0].Trim()).Order(StringComparer.Ordinal)];
    }

    private static async Task<(int, string)> RefusalAsync(Task<Answer> answer) => ((await answer).Status, (await answer).Code);
}
