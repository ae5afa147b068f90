using Microsoft.EntityFrameworkCore;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>The commands that change what is there, as an operator runs them, on a production installation.</summary>
public sealed class AdministrationCommandsTests(TestPostgres postgres) : IAsyncLifetime
{
    private Installation installation = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => installation = await Installation.CreateAsync(postgres);

    public ValueTask DisposeAsync() => installation.DisposeAsync();

    [Fact]
    public async Task Accounts_and_domains_are_listed_suspended_resumed_and_deleted()
    {
        await QueueAsync();

        Assert.Contains("suspended", await RunAsync("account", "suspend", "acme"));
        Assert.Equal(RecipientStatus.Held, await StatusAsync());
        Assert.Contains("acme\tsuspended\tacme.example", await RunAsync("account", "list"));
        await RunAsync("account", "resume", "acme");
        Assert.Equal(RecipientStatus.Queued, await StatusAsync());

        await RunAsync("domain", "suspend", "ACME.example");
        Assert.Contains("acme.example\tsuspended\tacme", await RunAsync("domain", "list"));
        await RunAsync("domain", "delete", "acme.example");
        Assert.Equal(RecipientStatus.Canceled, await StatusAsync());

        await RunAsync("account", "delete", "acme");
        Assert.Equal("", (await RunAsync("account", "list")).Trim());
        await installation.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task Addresses_and_keys_are_listed_and_removed()
    {
        var key = (await RunAsync("key", "add", "--account", "acme", "--name", "shop", "--scope", "send", "--domain", "acme.example", "--test", "--expires", "2099-01-01T00:00:00Z")).Trim();
        Assert.Contains($"{key[..12]}\tacme\tshop\tsend\tnever used, test, expires 2099-01-01T00:00:00.000Z", await RunAsync("key", "list"));
        await RunAsync("key", "delete", key[..12]);
        Assert.DoesNotContain(key[..12], await RunAsync("key", "list"));

        Assert.Contains("receipts@acme.example\tacme\tAcme, Inc.", await RunAsync("address", "list"));
        await RunAsync("address", "remove", "Receipts@acme.example");
        Assert.Equal("", (await RunAsync("address", "list")).Trim());
    }

    [Fact]
    public async Task A_mistake_is_one_line_for_each_thing_that_is_wrong()
    {
        await FailsAsync("moxapi: There is no account \"nobody\". See: moxapi account list", "account", "suspend", "nobody");
        await FailsAsync("moxapi: There is a domain acme.example already.", "domain", "add", "acme.example", "--account", "acme");
        await FailsAsync("moxapi: domains/0: The account has no such domain, and no address in it.", "key", "add", "--account", "acme", "--domain", "elsewhere.example");
        await FailsAsync("moxapi: retrySchedule: A schedule is", "account", "add", "other", "--retry", "soon", "--queue-hours", "1000");
    }

    private async Task<string> RunAsync(params string[] command)
    {
        var (exitCode, output, log) = await MoxApiProcess.RunAsync(installation.Settings, command);
        Assert.True(exitCode == 0, log);
        return output;
    }

    private async Task FailsAsync(string message, params string[] command)
    {
        var (exitCode, _, log) = await MoxApiProcess.RunAsync(installation.Settings, command);
        Assert.Equal(1, exitCode);
        Assert.Contains(message, log);
    }

    private async Task<RecipientStatus> StatusAsync()
    {
        await using var context = installation.Open();
        return await context.Recipients.Select(r => r.Status).SingleAsync(Cancel);
    }

    // A message from the domain, as it is after its accept.
    private async Task QueueAsync()
    {
        await using var context = installation.Open();
        var domain = await context.Domains.SingleAsync(Cancel);
        var now = TimeProvider.System.GetUtcNow();
        context.Add(new Lane { Id = 1, Domain = "example.net" });
        context.Add(new Body { Id = 2, Size = 0, Inline = [] });
        context.Add(new Message { Id = 1, AccountId = domain.AccountId, DomainId = domain.Id, MessageIdHeader = "<m@acme.example>", FromHeader = "", Subject = "", Header = [], BodyId = 2, Tags = [], Metadata = "{}", AcceptedAt = now });
        context.Add(new Recipient { Id = 1, MessageId = 1, AccountId = domain.AccountId, LaneId = 1, Address = "jane@example.net", BaseAddress = "jane@example.net", AcceptedAt = now, EventSequence = 1 });
        context.Add(new QueueRow { RecipientId = 1, LaneId = 1, DomainId = domain.Id, DueAt = now, ExpiresAt = now.AddDays(2) });
        context.Add(new Event { Id = 1, AccountId = domain.AccountId, Type = EventType.MessageAccepted, At = now, MessageId = 1, RecipientId = 1, Sequence = 1 });
        await context.SaveChangesAsync(Cancel);
    }
}
