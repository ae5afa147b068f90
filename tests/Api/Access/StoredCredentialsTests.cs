using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using MoxApi.Api.Access;
using MoxApi.Api.Problems;
using MoxApi.OpenApi.Access;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Api.Access;

public sealed class StoredCredentialsTests(TestPostgres postgres) : IAsyncLifetime
{
    private static readonly IPAddress Client = IPAddress.Parse("192.0.2.1");

    private readonly MemoryCache cache = new(new MemoryCacheOptions { SizeLimit = 1000 });
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 22, 10, 0, 15, TimeSpan.Zero));
    private Installation installation = null!;
    private StoredCredentials credentials = null!;
    private KeyUsage usage = null!;
    private long account;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        installation = await Installation.CreateAsync(postgres);
        usage = new KeyUsage(installation.Database, time, NullLogger<KeyUsage>.Instance);
        credentials = new StoredCredentials(new StoredLists(installation), cache, new LoginBudget(time), new LoginLine(), usage, time);
        await using var context = installation.Open();
        var acme = await context.Accounts.SingleAsync(Cancel);
        acme.PasswordHash = await PasswordHash.CreateAsync("pass:wörd");
        await context.SaveChangesAsync(Cancel);
        account = acme.Id;
    }

    public async ValueTask DisposeAsync()
    {
        usage.Dispose();
        cache.Dispose();
        await installation.DisposeAsync();
    }

    [Fact]
    public async Task A_key_is_found_by_its_hash_and_has_the_scopes_that_are_stored()
    {
        var caller = await credentials.FindByKeyAsync(installation.ApiKey, Cancel);

        Assert.Equal(account, caller!.AccountId);
        Assert.Equal(Scopes.All.Order(), caller.Scopes.Order());
    }

    [Fact]
    public async Task A_key_carries_its_limits()
    {
        await ChangeKeyAsync(key =>
        {
            key.DomainIds = [7, 8];
            key.IsTest = true;
        });

        var caller = await credentials.FindByKeyAsync(installation.ApiKey, Cancel);

        Assert.Equal([7, 8], caller!.DomainIds);
        Assert.True(caller.IsTest);
        Assert.False(caller.IsLogin);
    }

    [Fact]
    public async Task A_key_is_refused_from_the_moment_on_when_it_expires_also_while_it_is_trusted_still()
    {
        await ChangeKeyAsync(key => key.ExpiresAt = time.GetUtcNow().AddMilliseconds(500));
        Assert.NotNull(await credentials.FindByKeyAsync(installation.ApiKey, Cancel));

        time.Advance(TimeSpan.FromMilliseconds(500));

        Assert.Null(await credentials.FindByKeyAsync(installation.ApiKey, Cancel));
    }

    [Fact]
    public async Task Keys_and_logins_of_a_deleted_account_are_refused()
    {
        await using (var context = installation.Open())
        {
            (await context.Accounts.SingleAsync(Cancel)).DeletedAt = time.GetUtcNow();
            await context.SaveChangesAsync(Cancel);
        }

        Assert.Null(await credentials.FindByKeyAsync(installation.ApiKey, Cancel));
        Assert.Null(await credentials.FindByPasswordAsync("receipts@acme.example", "pass:wörd", Client, Cancel));
    }

    [Fact]
    public async Task When_a_key_was_used_is_written_down_at_most_every_five_minutes()
    {
        var first = time.GetUtcNow();
        await credentials.FindByKeyAsync(installation.ApiKey, Cancel);
        await usage.WriteAsync(Cancel);
        Assert.Equal(first, await LastUsedAsync());

        time.Advance(TimeSpan.FromMinutes(4));
        await credentials.FindByKeyAsync(installation.ApiKey, Cancel);
        await usage.WriteAsync(Cancel);
        Assert.Equal(first, await LastUsedAsync());

        time.Advance(TimeSpan.FromMinutes(1));
        await usage.WriteAsync(Cancel);
        Assert.Equal(first.AddMinutes(4), await LastUsedAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("mox_")]
    [InlineData("mox_local_sandbox")]
    public async Task A_key_that_is_none_is_not_found(string key) => Assert.Null(await credentials.FindByKeyAsync(key, Cancel));

    [Fact]
    public async Task A_key_in_another_case_or_with_more_behind_it_is_not_found()
    {
        Assert.Null(await credentials.FindByKeyAsync(installation.ApiKey.ToUpperInvariant(), Cancel));
        Assert.Null(await credentials.FindByKeyAsync(installation.ApiKey + " ", Cancel));
        Assert.Null(await credentials.FindByKeyAsync(installation.ApiKey[..^1], Cancel));
    }

    [Theory]
    [InlineData("receipts@acme.example")]
    [InlineData("Receipts@ACME.example")]
    public async Task An_address_and_its_accounts_password_have_every_scope_but_admin(string address)
    {
        var caller = await credentials.FindByPasswordAsync(address, "pass:wörd", Client, Cancel);

        Assert.Equal(account, caller!.AccountId);
        Assert.Equal(Scopes.All.Where(s => s != Scopes.Admin).Order(), caller.Scopes.Order());
        Assert.False(caller.IsAdmin);
    }

    [Theory]
    [InlineData("receipts@acme.example", "wrong")]
    [InlineData("receipts@acme.example", "")]
    [InlineData("receipts@acme.example", "PASS:WÖRD")]
    [InlineData("nobody@acme.example", "pass:wörd")]
    [InlineData("receipts@other.example", "pass:wörd")]
    [InlineData("no address", "pass:wörd")]
    public async Task What_does_not_belong_together_is_nobody(string address, string password) =>
        Assert.Null(await credentials.FindByPasswordAsync(address, password, Client, Cancel));

    [Fact]
    public async Task Failures_use_up_the_budget_of_their_network_whoever_they_are_for_and_a_good_login_does_not()
    {
        for (var n = 0; n < 5; n++)
        {
            Assert.Null(await credentials.FindByPasswordAsync("receipts@acme.example", "wrong", Client, Cancel));
            Assert.Null(await credentials.FindByPasswordAsync($"nobody{n}@acme.example", "wrong", Client, Cancel));
            if (n < 4) Assert.NotNull(await credentials.FindByPasswordAsync("receipts@acme.example", "pass:wörd", Client, Cancel));
        }
        // Even the right password is refused now, or else it could be told from a wrong one.
        var refused = await Assert.ThrowsAsync<RefusalException>(() => credentials.FindByPasswordAsync("receipts@acme.example", "pass:wörd", Client, Cancel));
        Assert.Equal((429, TimeSpan.FromSeconds(45)), (refused.Refusal.Status, refused.Refusal.RetryAfter));

        Assert.NotNull(await credentials.FindByPasswordAsync("receipts@acme.example", "pass:wörd", IPAddress.Parse("192.0.2.2"), Cancel));
        time.Advance(TimeSpan.FromSeconds(45));
        Assert.NotNull(await credentials.FindByPasswordAsync("receipts@acme.example", "pass:wörd", Client, Cancel));
    }

    [Fact]
    public async Task Guesses_made_at_once_get_no_more_tries_than_one_after_the_other()
    {
        var guesses = Enumerable.Range(0, 40).Select(async n =>
        {
            try
            {
                await credentials.FindByPasswordAsync("receipts@acme.example", $"guess{n}", Client, Cancel);
                return "tried";
            }
            catch (RefusalException)
            {
                return "refused";
            }
        });

        var answers = await Task.WhenAll(guesses);

        // Two hashes run at once, so up to two more may have begun before the tenth failure was counted.
        Assert.InRange(answers.Count(a => a == "tried"), 10, 12);
    }

    [Fact]
    public async Task A_password_that_was_right_is_not_hashed_again_until_it_is_changed()
    {
        Assert.NotNull(await credentials.FindByPasswordAsync("receipts@acme.example", "pass:wörd", Client, Cancel));
        await WhileNothingIsHashedAsync(async () => Assert.NotNull(await credentials.FindByPasswordAsync("receipts@acme.example", "pass:wörd", Client, Cancel).WaitAsync(TimeSpan.FromMinutes(1), Cancel)));

        await using (var context = installation.Open())
        {
            (await context.Accounts.SingleAsync(Cancel)).PasswordHash = await PasswordHash.CreateAsync("another");
            await context.SaveChangesAsync(Cancel);
        }
        Assert.Null(await credentials.FindByPasswordAsync("receipts@acme.example", "pass:wörd", Client, Cancel));
        Assert.NotNull(await credentials.FindByPasswordAsync("receipts@acme.example", "another", Client, Cancel));
    }

    [Fact]
    public Task Logins_of_one_network_do_not_queue_without_end() => WhileNothingIsHashedAsync(async () =>
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var logins = Enumerable.Range(0, LoginLine.MaxOfNetwork + 1)
            .Select(_ => credentials.FindByPasswordAsync("receipts@acme.example", "pass:wörd", Client, patience.Token)).ToList();

        var first = await Task.WhenAny(logins).WaitAsync(TimeSpan.FromMinutes(1), Cancel);

        var refused = await Assert.ThrowsAsync<RefusalException>(() => first);
        Assert.Equal((429, TimeSpan.FromSeconds(5)), (refused.Refusal.Status, refused.Refusal.RetryAfter));
        await patience.CancelAsync();
        foreach (var login in logins.Where(l => l != first)) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => login);
    });

    [Fact]
    public void The_line_of_logins_has_an_end_and_a_place_is_given_back()
    {
        var line = new LoginLine();
        var places = Enumerable.Range(0, LoginLine.MaxLength).Select(n => line.Join(IPAddress.Parse($"198.51.100.{n % 8}"))).ToList();
        Assert.Equal(503, Assert.Throws<RefusalException>(() => line.Join(Client)).Refusal.Status);
        places.ForEach(place => place.Dispose());
        for (var n = 0; n < LoginLine.MaxOfNetwork; n++) line.Join(Client);
        Assert.Equal(429, Assert.Throws<RefusalException>(() => line.Join(Client)).Refusal.Status);
        line.Join(IPAddress.Parse("2001:db8::1"));
    }

    // Holds both turns, so that whoever needs one waits.
    private static async Task WhileNothingIsHashedAsync(Func<Task> act)
    {
        using var go = new ManualResetEventSlim();
        using var begun = new SemaphoreSlim(0);
        var turns = Enumerable.Range(0, 2).Select(_ => Task.Run(() => PasswordHash.VerifyAsync("x", null, () =>
        {
            begun.Release();
            return go.Wait(TimeSpan.FromMinutes(2)); // And without the work, then.
        }, Cancel), Cancel)).ToArray();
        for (var n = 0; n < 2; n++) Assert.True(await begun.WaitAsync(TimeSpan.FromMinutes(1), Cancel));
        try
        {
            await act();
        }
        finally
        {
            go.Set();
            await Task.WhenAll(turns);
        }
    }

    private async Task ChangeKeyAsync(Action<MoxApi.Migrations.Accounts.ApiKey> change)
    {
        await using var context = installation.Open();
        change(await context.ApiKeys.SingleAsync(Cancel));
        await context.SaveChangesAsync(Cancel);
    }

    private async Task<DateTimeOffset?> LastUsedAsync()
    {
        await using var context = installation.Open();
        return await context.ApiKeys.Select(k => k.LastUsedAt).SingleAsync(Cancel);
    }
}
