using MoxApi.Webhooks.Signing;

namespace MoxApi.Webhooks.Posting;

/// <summary>One event for one endpoint.</summary>
/// <param name="Url">Absolute, http or https.</param>
/// <param name="AllowPrivate">Whether addresses that are not public may be connected to.</param>
/// <param name="Secrets">The endpoint's; while it changes over, the previous one too. Each signs.</param>
/// <param name="EventId">The event's public id: <c>webhook-id</c>.</param>
/// <param name="Body">JSON; the same octets at every attempt.</param>
public sealed record WebhookPost(Uri Url, bool AllowPrivate, IReadOnlyList<WebhookSecret> Secrets, string EventId, ReadOnlyMemory<byte> Body);

/// <summary>What became of a post.</summary>
/// <param name="Status">The answer's status; absent where none came.</param>
/// <param name="Error">What went wrong, with the beginning of the answer; absent after a success. At most 400 characters, none of them a control character.</param>
/// <param name="Duration">From the start of the attempt to the end of what was read of the answer.</param>
/// <param name="RetryAfter">How long an answer that <see cref="AsksForTime"/> asked to wait.</param>
public sealed record PostResult(int? Status, string? Error, TimeSpan Duration, TimeSpan? RetryAfter = null)
{
    /// <summary>The request's header fields, a JSON object of texts.</summary>
    public string? RequestHeaders { get; init; }

    /// <summary>The answer's header fields, a JSON object of texts; absent where none came.</summary>
    public string? ResponseHeaders { get; init; }

    /// <summary>The beginning of the answer's body as it came, up to 64 KiB; absent where no answer came.</summary>
    public byte[]? ResponseBody { get; init; }

    /// <summary>Whether the endpoint took the event: any 2xx, and nothing else.</summary>
    public bool Succeeded => Status is >= 200 and < 300;

    /// <summary>Whether the endpoint is no more and asks not to be posted to again (RFC 9110 §15.5.11; Standard Webhooks asks senders to obey).</summary>
    public bool IsGone => Status == 410;

    /// <summary>Whether the endpoint, or what stands before it, has too much to do (Standard Webhooks asks senders to slow down).</summary>
    public bool AsksForTime => Status is 429 or 502 or 503 or 504;
}
