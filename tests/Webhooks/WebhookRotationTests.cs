using System.Text.Json;
using System.Text.Json.Nodes;
using MoxApi.OpenApi.Webhooks;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using MoxApi.Webhooks.Signing;
using Xunit;
using WebhookDeliveryStatus = MoxApi.Migrations.Webhooks.WebhookDeliveryStatus;

namespace MoxApi.Tests.Webhooks;

public sealed class WebhookRotationTests(TestPostgres postgres) : IAsyncLifetime
{
    private WebhookBed bed = null!;
    private WebhookReceiver receiver = null!;
    private WebhookSecret first = null!;
    private long endpoint;

    public async ValueTask InitializeAsync()
    {
        bed = await WebhookBed.MakeAsync(postgres);
        receiver = await WebhookReceiver.StartAsync();
        (endpoint, first) = await bed.AddEndpointAsync(receiver.Url);
        bed.Drain();
    }

    public async ValueTask DisposeAsync()
    {
        await receiver.DisposeAsync();
        await bed.DisposeAsync();
    }

    [Fact]
    public async Task In_the_overlap_the_public_library_verifies_with_either_secret_and_after_it_with_the_new_one()
    {
        var next = Secret(await RotateAsync(TimeSpan.FromHours(1)));
        var within = await PostAsync();
        Assert.Equal(["verified", "verified"], await VerifyAsync((first, within), (next, within)));

        bed.Clock.Advance(TimeSpan.FromHours(1));
        var after = await PostAsync();
        Assert.Equal(["No matching signature found", "verified"], await VerifyAsync((first, after), (next, after)));
    }

    [Fact]
    public async Task Both_secrets_sign_until_the_overlap_is_over()
    {
        var rotated = await RotateAsync(TimeSpan.FromHours(24));
        Assert.Equal(bed.Clock.GetUtcNow().AddHours(24), rotated.PreviousSecretUntil);
        Assert.Equal(rotated.PreviousSecretUntil, (await bed.Endpoints.GetAsync(bed.Account, endpoint, default))!.PreviousSecretUntil);

        bed.Clock.Advance(TimeSpan.FromHours(24) - TimeSpan.FromSeconds(1));
        var within = await PostAsync();
        Assert.Equal([WebhookVerdict.Authentic, WebhookVerdict.Authentic], Verdicts(within, first, Secret(rotated)));

        bed.Clock.Advance(TimeSpan.FromSeconds(1));
        var after = await PostAsync();
        Assert.Equal([WebhookVerdict.WrongSignature, WebhookVerdict.Authentic], Verdicts(after, first, Secret(rotated)));
        Assert.Null((await bed.Endpoints.GetAsync(bed.Account, endpoint, default))!.PreviousSecretUntil);
    }

    [Fact]
    public async Task Without_an_overlap_the_old_secret_ends_at_once()
    {
        var rotated = await RotateAsync(TimeSpan.Zero);

        Assert.Null(rotated.PreviousSecretUntil);
        Assert.Equal([WebhookVerdict.WrongSignature, WebhookVerdict.Authentic], Verdicts(await PostAsync(), first, Secret(rotated)));
        Assert.Null((await bed.EndpointAsync(endpoint)).SealedPreviousSecret);
    }

    [Fact]
    public async Task Of_two_rotations_the_second_ends_the_oldest_secret()
    {
        var second = await RotateAsync(TimeSpan.FromHours(24));
        var third = await RotateAsync(TimeSpan.FromHours(24));

        Assert.Equal(
            [WebhookVerdict.WrongSignature, WebhookVerdict.Authentic, WebhookVerdict.Authentic], Verdicts(await PostAsync(), first, Secret(second), Secret(third)));
    }

    [Fact]
    public async Task Both_secrets_are_stored_sealed_and_another_account_cannot_rotate_them()
    {
        var rotated = Secret(await RotateAsync(TimeSpan.FromHours(1)));
        Assert.Null(await bed.Endpoints.RotateSecretAsync(await bed.AddAccountAsync("stranger"), endpoint, TimeSpan.Zero, default));

        var row = await bed.EndpointAsync(endpoint);
        Assert.Equal(rotated.Key.ToArray(), bed.Secrets.Open(row.SealedSecret, row.SealContext));
        Assert.Equal(first.Key.ToArray(), bed.Secrets.Open(row.SealedPreviousSecret!, row.SealContext));
        Assert.Equal(-1, row.SealedPreviousSecret.AsSpan().IndexOf(first.Key));
    }

    private async Task<RotatedWebhookSecret> RotateAsync(TimeSpan overlap) => (await bed.Endpoints.RotateSecretAsync(bed.Account, endpoint, overlap, default))!;

    private async Task<ReceivedWebhook> PostAsync()
    {
        await bed.DeliverAsync();
        await receiver.ArrivedAsync();
        await bed.UntilDeliveriesAsync(d => d.TrueForAll(x => x.Status == WebhookDeliveryStatus.Delivered));
        return receiver.Received[^1];
    }

    private IEnumerable<WebhookVerdict> Verdicts(ReceivedWebhook had, params WebhookSecret[] secrets) => secrets.Select(secret => had.Verify(secret, bed.Clock.GetUtcNow()));

    private static WebhookSecret Secret(RotatedWebhookSecret rotated) => WebhookSecret.TryParse(rotated.Secret, out var secret) ? secret : throw new InvalidOperationException();

    private async Task<string[]> VerifyAsync(params (WebhookSecret Secret, ReceivedWebhook Had)[] requests)
    {
        var all = requests.Select(r => (JsonNode)new JsonObject
        {
            ["secret"] = r.Secret.Reveal(),
            ["headers"] = JsonSerializer.SerializeToNode(r.Had.Headers),
            ["body"] = Convert.ToBase64String(r.Had.Body),
        });
        var input = new JsonObject { ["requests"] = new JsonArray([.. all]), ["now"] = bed.Clock.GetUtcNow().ToUnixTimeMilliseconds() };
        var answer = await NpmPeer.RunAsync("verify-webhook.js", input.ToJsonString(), default);
        return JsonSerializer.Deserialize<string[]>(answer)!;
    }
}
