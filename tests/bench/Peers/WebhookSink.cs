using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using MoxApi.Bench.Measuring;

namespace MoxApi.Bench.Peers;

/// <summary>Webhook endpoints on loopback that count what they are sent by its id, and answer as their kind does.</summary>
internal sealed class WebhookSink : IAsyncDisposable
{
    /// <summary>The time that <see cref="Slow"/> takes.</summary>
    public static readonly TimeSpan SlowAnswer = TimeSpan.FromMilliseconds(50);

    /// <summary>Answers at once.</summary>
    public const string Fast = "fast";

    /// <summary>Takes <see cref="SlowAnswer"/>.</summary>
    public const string Slow = "slow";

    /// <summary>Never answers.</summary>
    public const string Dead = "dead";

    private readonly WebApplication server;
    private readonly ConcurrentDictionary<string, Endpoint> endpoints = new(StringComparer.Ordinal);

    private WebhookSink(WebApplication server) => this.server = server;

    /// <summary>Where it listens.</summary>
    public Uri Url { get; private set; } = null!;

    public static async Task<WebhookSink> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        var sink = new WebhookSink(builder.Build());
        sink.server.Run(sink.ReceiveAsync);
        await sink.server.StartAsync();
        sink.Url = new Uri(sink.server.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single());
        return sink;
    }

    /// <summary>A new endpoint.</summary>
    /// <param name="kind">One of <see cref="Fast"/>, <see cref="Slow"/> and <see cref="Dead"/>.</param>
    /// <param name="expected">How many events are expected.</param>
    public Endpoint Add(string kind, int expected)
    {
        var path = $"/{kind}/{endpoints.Count}";
        return endpoints[path] = new(new Uri(Url, path), kind, new Tally(expected), new Tally(expected));
    }

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource();
        await soon.CancelAsync();
        await server.StopAsync(soon.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await server.DisposeAsync();
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        if (!endpoints.TryGetValue(context.Request.Path.Value!, out var endpoint)) return;
        try
        {
            var body = await ReadAsync(context.Request);
            if (endpoint.Kind == Slow) await Task.Delay(SlowAnswer, TimeProvider.System, context.RequestAborted);
            if (endpoint.Kind == Dead) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
            endpoint.Events.Add(context.Request.Headers["webhook-id"].ToString());
            endpoint.Messages.Add(MessageId(body));
        }
        catch (Exception end) when (end is OperationCanceledException or IOException)
        {
            // The sender hung up, or the benchmark is over.
        }
    }

    private static async ValueTask<byte[]> ReadAsync(HttpRequest request)
    {
        var body = new byte[request.ContentLength ?? throw new IOException("The request has no Content-Length.")];
        await request.Body.ReadExactlyAsync(body, request.HttpContext.RequestAborted);
        return body;
    }

    // Of the Message-ID, which JSON may have escaped, only what is between its brackets.
    private static string MessageId(ReadOnlySpan<byte> body)
    {
        var end = body.IndexOf("@acme.example"u8);
        if (end < 0) return "";
        var start = body[..end].LastIndexOfAny((byte)'<', (byte)'C', (byte)'c') + 1; // < or \u003C
        return $"<{Encoding.ASCII.GetString(body[start..end])}@acme.example>";
    }

    /// <summary>An endpoint and what it had, by event and by message.</summary>
    internal sealed record Endpoint(Uri Url, string Kind, Tally Events, Tally Messages);
}
