using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using MoxApi.OpenApi;
using MoxApi.OpenApi.Events;
using MoxApi.Webhooks.Signing;
using Spectre.Console;

namespace MoxApi.Api.Commands;

/// <summary>A receiver of events on loopback that prints a line for each one that is authentic.</summary>
internal sealed class WebhookListener(IAnsiConsole console, TimeProvider time) : IAsyncDisposable
{
    private const int MostOctets = 1 << 20;

    private WebApplication? server;

    /// <summary>The key of the signatures. Until it is known, events are asked to come again.</summary>
    public WebhookSecret? Secret { get; set; }

    /// <summary>Starts to receive.</summary>
    /// <param name="port">On 127.0.0.1; 0 takes a free one.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Where events are to be posted.</returns>
    /// <exception cref="IOException">The port is taken.</exception>
    public async Task<Uri> StartAsync(int port, CancellationToken cancel)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, port);
            kestrel.Limits.MaxRequestBodySize = MostOctets;
        });
        server = builder.Build();
        server.Run(ReceiveAsync);
        await server.StartAsync(cancel);
        return new(server.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single());
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        var body = await ReadAsync(context.Request);
        var headers = context.Request.Headers;
        var verdict = Secret is null ? (WebhookVerdict?)null : StandardWebhooksVerifier.Verify(
            Secret,
            headers[StandardWebhooksSigner.IdHeader],
            headers[StandardWebhooksSigner.TimestampHeader],
            headers[StandardWebhooksSigner.SignatureHeader],
            body,
            time.GetUtcNow());
        context.Response.StatusCode = verdict switch
        {
            null => StatusCodes.Status503ServiceUnavailable,
            WebhookVerdict.Authentic => StatusCodes.Status204NoContent,
            _ => StatusCodes.Status401Unauthorized,
        };
        if (verdict is WebhookVerdict.Authentic) Print(JsonSerializer.Deserialize<Event>(body, WireJson.Options)!);
        else if (verdict is not null) Line("red", time.GetUtcNow(), "refused", $"{verdict}");
    }

    private static async Task<byte[]> ReadAsync(HttpRequest request)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
        return body.ToArray();
    }

    private void Print(Event seen)
    {
        var (type, recipient, attempt, webhook) = (seen.Type, seen.Data.Recipient, seen.Data.Attempt, seen.Data.Webhook);
        var about = webhook is not null
            ? $"{webhook.Url}  {webhook.Reason}"
            : $"{recipient?.Address}  {(recipient is null ? null : Name(recipient.Status))}  {seen.Data.Message?.Id}";
        var reply = attempt is null ? null : $"{attempt.SmtpCode} {attempt.Reply}";
        Line(ColourOf(type), seen.Timestamp, $"{Name(type)}", $"{about}  {reply}");
    }

    private static string? Name<TName>(TName value) => JsonSerializer.SerializeToElement(value, WireJson.Options).GetString();

    private static string ColourOf(EventType type) => type switch
    {
        EventType.MessageDelivered => "green",
        EventType.MessageFailed or EventType.MessageQuarantined or EventType.MessageComplained or EventType.WebhookDisabled => "red",
        EventType.MessageDelayed or EventType.MessageHeld => "yellow",
        _ => "blue",
    };

    private void Line(string colour, DateTimeOffset at, string what, string detail)
    {
        lock (console)
        {
            // Into a file or a pipe an event is one line, which a console would fold at its width.
            if (console.Profile.Out.IsTerminal) console.MarkupLine($"[grey]{WireTime.Write(at)}[/]  [{colour}]{what}[/]  {Markup.Escape(Tame(detail))}");
            else console.Profile.Out.Writer.WriteLine($"{WireTime.Write(at)}  {what}  {Tame(detail)}");
        }
    }

    // Replies are remote servers' words: they may not steer the terminal.
    private static string Tame(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).TrimEnd();
}
