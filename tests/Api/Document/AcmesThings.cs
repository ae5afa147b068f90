using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Mailboxes;
using MoxApi.Migrations.Messages;
using Xunit;

namespace MoxApi.Tests.Api.Document;

/// <summary>One of everything that an account can have, by the words that stand ahead of ids in paths.</summary>
internal sealed class AcmesThings
{
    private readonly Dictionary<string, string> ids = [];

    /// <summary>Makes them in the installation's account.</summary>
    public static async Task<AcmesThings> MakeAsync(StoredApiHost host)
    {
        var things = new AcmesThings();
        await things.AddWebhookAndMessageAsync(host);
        await things.AddReceivedAsync(host);
        var domain = (await host.GetAsync("/v1/domains")).Json.GetProperty("data")[0];
        things.ids["domains"] = domain.GetProperty("id").GetString()!;
        things.ids["accounts"] = domain.GetProperty("accountId").GetString()!;
        things.ids["dkim-keys"] = (await host.GetAsync($"/v1/domains/{things.ids["domains"]}/dkim-keys")).Json.GetProperty("data")[0].GetProperty("selector").GetString()!;
        things.ids["addresses"] = (await host.GetAsync($"/v1/accounts/{things.ids["accounts"]}/addresses")).Json.GetProperty("data")[0].GetProperty("id").GetString()!;
        things.ids["api-keys"] = (await host.PostAsync("/v1/api-keys", new { name = "shop" })).Json.GetProperty("id").GetString()!;
        things.ids["suppressions"] = "sam@example.net";
        Assert.Equal(201, (await host.PostAsync("/v1/suppressions", new { address = things.ids["suppressions"] })).Status);
        return things;
    }

    /// <summary>What stands in a path behind a word.</summary>
    public string Of(string word, string parameter) => ids.TryGetValue(word, out var id)
        ? id
        : throw new InvalidOperationException($"A path has {{{parameter}}} behind \"{word}\": make such a thing in {nameof(AcmesThings)}, so that the walks over the document have one.");

    private async Task AddWebhookAndMessageAsync(StoredApiHost host)
    {
        var webhook = await host.PostAsync("/v1/webhooks", new { url = "https://app.acme.example/", events = new[] { "message.accepted" } });
        ids["webhooks"] = webhook.Json.GetProperty("id").GetString()!;
        ids["messages"] = await host.SendMessageAsync();
        ids["recipients"] = JsonNode.Parse((await host.GetAsync($"/v1/messages/{ids["messages"]}")).Text)!["recipients"]![0]!["id"]!.GetValue<string>();
        await using var context = host.Open();
        var recipient = await context.Recipients.SingleAsync();
        recipient.Attempts = 1;
        context.Add(new Attempt { Id = 1, MessageId = recipient.MessageId, RecipientId = recipient.Id, Number = 1, At = recipient.AcceptedAt, Outcome = AttemptOutcome.Delayed, Reply = "451 4.3.0 Later", Conversation = "[]" });
        await context.SaveChangesAsync();
        ids["deliveries"] = host.Ids.Make(PublicIdKind.WebhookDelivery, await context.WebhookDeliveries.Select(d => d.Id).SingleAsync());
    }

    private async Task AddReceivedAsync(StoredApiHost host)
    {
        await using var context = host.Open();
        var box = await context.Mailboxes.FirstAsync();
        var now = TimeProvider.System.GetUtcNow();
        context.Add(new Body { Id = 1, Size = 4, Inline = "body"u8.ToArray() });
        context.Add(new Message { Id = 2, AccountId = box.AccountId, Direction = MessageDirection.Incoming, MessageIdHeader = "", FromHeader = "", Subject = "", Size = 10, Header = "A: b\r\n"u8.ToArray(), BodyId = 1, Tags = [], Metadata = "{}", AcceptedAt = now });
        await context.SaveChangesAsync();
        context.Add(new MailboxMessage { MailboxId = box.Id, Uid = 1, MessageId = 2, AccountId = box.AccountId, ReceivedAt = now, ReversePath = "", ForwardPath = "receipts@acme.example", RemoteAddress = "", Helo = "" });
        await context.SaveChangesAsync();
        ids["received"] = host.Ids.Make(PublicIdKind.Message, 2);
    }
}
