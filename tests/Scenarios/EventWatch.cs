using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using MoxApi.Migrations;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using MoxApi.Webhooks.Signing;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>A webhook for every event of an installation, so that what was posted can be held against what the database says happened.</summary>
internal sealed class EventWatch : IAsyncDisposable
{
    private static readonly string[] Events = ["message.accepted", "message.delayed", "message.delivered", "message.failed", "message.quarantined"];

    private readonly Installation installation;
    private readonly WebhookReceiver receiver;
    private readonly WebhookSecret secret;

    private EventWatch(Installation installation, WebhookReceiver receiver, WebhookSecret secret) =>
        (this.installation, this.receiver, this.secret) = (installation, receiver, secret);

    /// <summary>What was posted so far.</summary>
    public IEnumerable<JsonNode> Posted => receiver.Received.Select(w => JsonNode.Parse(w.Body)!);

    /// <summary>Registers it, before anything happens.</summary>
    public static async Task<EventWatch> StartAsync(Installation installation, MoxApiProcess node)
    {
        var receiver = await WebhookReceiver.StartAsync();
        using var client = node.Client(installation.ApiKey);
        using var answer = await client.PostAsJsonAsync("/v1/webhooks", new { url = receiver.Url, events = Events, allowPrivate = true });
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.Created, body);
        Assert.True(WebhookSecret.TryParse(JsonNode.Parse(body)!["secret"]!.GetValue<string>(), out var secret));
        return new EventWatch(installation, receiver, secret);
    }

    /// <summary>
    /// Waits until nothing is left to post, and asserts that every event was posted under its id with a correct signature, that nothing else was,
    /// and that every recipient who has the message was reported.
    /// </summary>
    public async Task AssertAllPostedAsync()
    {
        await installation.CountIsAsync("SELECT count(*) FROM webhook_queue", 0);
        await installation.CountIsAsync("SELECT count(*) FROM webhook_delivery WHERE status <> 1", 0);
        var posted = receiver.Received;
        Assert.All(posted, w => Assert.Equal(WebhookVerdict.Authentic, w.Verify(secret, SignedAt(w))));
        using var ids = new PublicIds((await SchemaMigrator.CheckAsync(installation.Database, TestContext.Current.CancellationToken)).IdKey);
        await using var context = installation.Open();
        var stored = await context.Events.Select(e => e.Id).ToListAsync(TestContext.Current.CancellationToken);
        Assert.NotEmpty(stored);
        Assert.Equivalent(stored.Select(id => ids.Make(PublicIdKind.Event, id)).ToHashSet(), posted.Select(w => w.Id).ToHashSet(), strict: true);
        var delivered = await context.Recipients.Where(r => r.Status == RecipientStatus.Delivered).Select(r => r.Id).ToListAsync(TestContext.Current.CancellationToken);
        var reported = Posted.Where(e => (string?)e["type"] == "message.delivered").Select(e => (string?)e["data"]!["recipient"]!["id"]).ToHashSet();
        Assert.DoesNotContain(delivered, id => !reported.Contains(ids.Make(PublicIdKind.Recipient, id)));
    }

    public ValueTask DisposeAsync() => receiver.DisposeAsync();

    // Judged at the time it gives itself: a test may take longer than a receiver's tolerance.
    private static DateTimeOffset SignedAt(ReceivedWebhook webhook) =>
        DateTimeOffset.FromUnixTimeSeconds(long.Parse(webhook.Headers[StandardWebhooksSigner.TimestampHeader], CultureInfo.InvariantCulture));
}
