using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Identifiers;
using Xunit;

namespace MoxApi.Tests.Api.Document;

/// <summary>An account for requests that meet at one thing, by the paths of what it has.</summary>
internal sealed record RaceAccount(string Key, string Name, string Id, string Account, string Domain, string Address, string ApiKey, string[] Messages, string[] Webhooks)
{
    /// <summary>Makes some. Their domains have no keys, which would take longer to make than all the rest.</summary>
    public static async Task<RaceAccount[]> MakeAsync(StoredApiHost host, int count)
    {
        var made = new RaceAccount[count];
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (n, _) => made[n] = await MakeAsync(host, $"racer-{n}"));
        return made;
    }

    private static async Task<RaceAccount> MakeAsync(StoredApiHost host, string name)
    {
        var key = await host.KeyAsync(name, StoredApiHost.AccountScopes);
        var (account, domain, address) = await StoreAsync(host, name);
        var id = host.Ids.Make(PublicIdKind.Account, account);
        var webhooks = new string[3];
        for (var n = 0; n < webhooks.Length; n++) webhooks[n] = $"/v1/webhooks/{await IdOfAsync(host.PostAsync("/v1/webhooks", new { url = $"https://app{n}.{name}.example/" }, key))}";
        var sent = await host.PostAsync(
            "/v1/messages/batch",
            new { messages = Enumerable.Range(0, 10).Select(_ => new { to = new[] { "jane@example.org", "sam@example.org" }, text = "Hello", sendAt = TimeProvider.System.GetUtcNow().AddDays(1) }) },
            key);
        return new(
            key, name, id, $"/v1/accounts/{id}", $"/v1/domains/{host.Ids.Make(PublicIdKind.Domain, domain)}", $"/v1/accounts/{id}/addresses/{host.Ids.Make(PublicIdKind.Address, address)}",
            $"/v1/api-keys/{await IdOfAsync(host.PostAsync("/v1/api-keys", new { name = "shop", accountId = id }))}",
            [.. sent.Json.GetProperty("results").EnumerateArray().Select(r => $"/v1/messages/{IdOf(r.GetProperty("message"))}")], webhooks);
    }

    private static async Task<(long Account, long Domain, long Address)> StoreAsync(StoredApiHost host, string name)
    {
        await using var context = host.Open();
        var (account, now) = (await context.Accounts.SingleAsync(a => a.Name == name), TimeProvider.System.GetUtcNow());
        var domain = new Domain { AccountId = account.Id, Name = $"{name}.example", ReturnPathDomain = $"bounces.{name}.example", CreatedAt = now };
        context.Add(domain);
        await context.SaveChangesAsync();
        var address = new Address { AccountId = account.Id, DomainId = domain.Id, LocalPart = "orders", CreatedAt = now };
        context.Add(address);
        await context.SaveChangesAsync();
        return (account.Id, domain.Id, address.Id);
    }

    private static async Task<string> IdOfAsync(Task<Answer> making)
    {
        var answer = await making;
        Assert.True(answer.Status == 201, answer.Text);
        return IdOf(answer.Json);
    }

    private static string IdOf(JsonElement thing) => thing.GetProperty("id").GetString()!;
}
