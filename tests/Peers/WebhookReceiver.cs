using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using MoxApi.Webhooks.Signing;

namespace MoxApi.Tests.Peers;

/// <summary>A request that a <see cref="WebhookReceiver"/> had.</summary>
internal sealed record ReceivedWebhook(string Path, Dictionary<string, string> Headers, byte[] Body, string Connection)
{
    public string Id => Headers[StandardWebhooksSigner.IdHeader];

    public WebhookVerdict Verify(WebhookSecret secret, DateTimeOffset now) => StandardWebhooksVerifier.Verify(
        secret, Id, Headers[StandardWebhooksSigner.TimestampHeader], Headers[StandardWebhooksSigner.SignatureHeader], Body, now);
}

/// <summary>An endpoint on loopback that answers as it is told, and keeps what it was sent.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly WebApplication server;
    private readonly SemaphoreSlim arrived = new(0);
    private readonly ConcurrentQueue<ReceivedWebhook> received = new();
    private int now;
    private int most;

    private WebhookReceiver(WebApplication server) => this.server = server;

    /// <summary>The answer; 204 at once until it is set.</summary>
    public Func<HttpContext, Task> Answer { get; set; } = context =>
    {
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    };

    /// <summary>Answers with a status from now on, and with <c>Retry-After</c> and a body where they are given.</summary>
    public void AnswerWith(int status, string? retryAfter = null, string? body = null) => Answer = context =>
    {
        context.Response.StatusCode = status;
        if (retryAfter is not null) context.Response.Headers.RetryAfter = retryAfter;
        return body is null ? Task.CompletedTask : context.Response.WriteAsync(body);
    };

    public Uri Url { get; private set; } = null!;

    public ReceivedWebhook[] Received => [.. received];

    /// <summary>The most requests that were here at a time.</summary>
    public int MostAtATime => most;

    public static async Task<WebhookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var server = builder.Build();
        var receiver = new WebhookReceiver(server);
        server.Run(receiver.ReceiveAsync);
        await server.StartAsync();
        var address = server.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single();
        receiver.Url = new Uri(address + "/hook");
        return receiver;
    }

    /// <summary>Waits until so many more requests have arrived than were waited for before.</summary>
    public async Task ArrivedAsync(int count = 1)
    {
        for (var i = 0; i < count; i++)
        {
            if (!await arrived.WaitAsync(Patience)) throw new TimeoutException($"Only {received.Count} requests arrived.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource();
        await soon.CancelAsync();
        await server.StopAsync(soon.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await server.DisposeAsync();
        arrived.Dispose();
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var headers = context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        received.Enqueue(new(context.Request.Path, headers, body.ToArray(), context.Connection.Id));
        InterlockedMax(Interlocked.Increment(ref now));
        arrived.Release();
        try
        {
            await Answer(context);
        }
        catch (OperationCanceledException)
        {
            // The sender hung up.
        }
        finally
        {
            Interlocked.Decrement(ref now);
        }
    }

    private void InterlockedMax(int value)
    {
        int before;
        while ((before = Volatile.Read(ref most)) < value && Interlocked.CompareExchange(ref most, value, before) != before)
        {
            // Another request came between.
        }
    }
}
