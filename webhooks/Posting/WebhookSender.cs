using System.Net;
using System.Net.Http.Headers;
using MoxApi.Mail.Connections;
using MoxApi.Webhooks.Signing;
using Polly;
using Polly.Timeout;

namespace MoxApi.Webhooks.Posting;

/// <summary>Posts events, as to somebody who may mean us harm: to whom, for how long and how much we listen is bounded.</summary>
public sealed class WebhookSender : IDisposable
{
    /// <summary>The time for everything: name, connection, TLS, request and the answer's header.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    private static readonly string UserAgent = $"MoxApi/{typeof(WebhookSender).Assembly.GetName().Version?.ToString(3)} (webhook)";

    private readonly TimeProvider time;
    private readonly ResiliencePipeline deadline;

    // Two pools of connections: one that an endpoint with private addresses opened must not serve an endpoint that may not have them.
    private readonly HttpClient toPublic;
    private readonly HttpClient toAny;

    /// <param name="dialer">Makes the connections; its guard refuses addresses that are not public, whatever their name.</param>
    /// <param name="resolve">The addresses of a host name.</param>
    /// <param name="time">The clock of timestamps and of the deadline.</param>
    public WebhookSender(Dialer dialer, Func<string, CancellationToken, Task<IPAddress[]>> resolve, TimeProvider time)
    {
        this.time = time;
        deadline = new ResiliencePipelineBuilder { TimeProvider = time }.AddTimeout(Deadline).Build();
        toPublic = Make(new(dialer, resolve, AllowPrivate: false, time));
        toAny = Make(new(dialer, resolve, AllowPrivate: true, time));
    }

    /// <summary>Makes one attempt.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was canceled: whether the endpoint took the event is not known.</exception>
    public async Task<PostResult> PostAsync(WebhookPost post, CancellationToken stop)
    {
        var start = time.GetTimestamp();
        using var request = Request(post);
        var sent = HeaderText.Of(request);
        try
        {
            // Only the header is waited for: it decides.
            using var answer = await deadline.ExecuteAsync(
                async cancel => await (post.AllowPrivate ? toAny : toPublic).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel), stop);
            var body = await AnswerBody.ReadAsync(answer.Content, time, stop);
            return Judge(answer, body, time.GetElapsedTime(start)) with { RequestHeaders = sent };
        }
        // Whatever went wrong, unless it is we who gave up, is the attempt's failure. A cancellation that is not ours is a time that was
        // up further within: the handler's for a connection.
        catch (Exception fault) when (!stop.IsCancellationRequested)
        {
            return new(null, AnswerBody.Clean(Reason(fault)), time.GetElapsedTime(start)) { RequestHeaders = sent };
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        toPublic.Dispose();
        toAny.Dispose();
    }

    private PostResult Judge(HttpResponseMessage answer, byte[] body, TimeSpan duration)
    {
        var status = (int)answer.StatusCode;
        var error = answer.IsSuccessStatusCode ? null : AnswerBody.Clean($"The endpoint answered {status}: {AnswerBody.Beginning(body)}");
        var result = new PostResult(status, error, duration) { ResponseHeaders = HeaderText.Of(answer), ResponseBody = body };
        return result.AsksForTime ? result with { RetryAfter = RetryAfter(answer.Headers.RetryAfter) } : result;
    }

    private HttpRequestMessage Request(WebhookPost post)
    {
        var timestamp = StandardWebhooksSigner.Timestamp(time.GetUtcNow());
        var request = new HttpRequestMessage(HttpMethod.Post, post.Url) { Content = new ReadOnlyMemoryContent(post.Body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.UserAgent.ParseAdd(UserAgent);
        request.Headers.Add(StandardWebhooksSigner.IdHeader, post.EventId);
        request.Headers.Add(StandardWebhooksSigner.TimestampHeader, timestamp);
        request.Headers.Add(StandardWebhooksSigner.SignatureHeader, StandardWebhooksSigner.Sign(post.Secrets, post.EventId, timestamp, post.Body));
        return request;
    }

    // RFC 9110 §10.2.3: a date or a number of seconds.
    private TimeSpan? RetryAfter(RetryConditionHeaderValue? header) =>
        header?.Delta ?? (header?.Date - time.GetUtcNow() is { Ticks: > 0 } wait ? wait : null);

    // The dialer's own words ("The address 10.0.0.1 is not public…"), or else the innermost, which say more than those around them.
    private static string Reason(Exception fault)
    {
        for (var inner = fault; inner is not null; inner = inner.InnerException)
        {
            if (inner is DialException) return inner.Message;
            if (inner is TimeoutRejectedException or OperationCanceledException) return $"No answer within {Deadline.TotalSeconds:0} seconds.";
        }
        return fault.GetBaseException().Message;
    }

    private static HttpClient Make(GuardedConnect connect)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = connect.ConnectAsync,
            ConnectTimeout = Deadline, // A connection that its post no longer waits for may not hang on.
            UseProxy = false, // A proxy would connect in our place, past the guard.
            AllowAutoRedirect = false, // An endpoint that moved is registered anew; a redirect is somebody else's choice of whom we post to.
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            MaxResponseHeadersLength = 32, // KiB
            MaxResponseDrainSize = 64 << 10,
            ResponseDrainTimeout = TimeSpan.FromSeconds(2),
            PooledConnectionLifetime = TimeSpan.FromMinutes(2), // Then the name is looked up again.
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        };
        return new(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }
}
