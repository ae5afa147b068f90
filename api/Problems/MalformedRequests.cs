using System.Diagnostics;
using System.Globalization;
using System.Net.Mime;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using MoxApi.OpenApi;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Problems;

/// <summary>
/// Gives a problem document to what Kestrel refuses before it is a request: a target or a field that HTTP/1.1 does not have. Kestrel answers these with a bare
/// status, past all middleware, and only a diagnostic event tells of them. The answer is written then, and Kestrel's own goes nowhere.
/// </summary>
internal sealed class MalformedRequests(ApiMetrics metrics, TimeProvider time) : IObserver<KeyValuePair<string, object?>>
{
    private const string BadRequest = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";

    /// <summary>Listens to Kestrel of this application.</summary>
    public void Observe(DiagnosticListener events) => events.Subscribe(this, name => name == BadRequest);

    /// <inheritdoc/>
    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (value.Value is not IFeatureCollection features || features.Get<AnswerWriter>() is not { } output) return;
        if (features.Get<IBadRequestExceptionFeature>()?.Error is not BadHttpRequestException fault || features.Get<IHttpResponseFeature>() is not { HasStarted: false }) return;
        // Who speaks another version is answered by Kestrel: HTTP/2's clients expect a frame (RFC 9113 §5.4.1).
        if (fault.StatusCode == StatusCodes.Status505HttpVersionNotsupported) return;
        var refusal = ToRefusal(fault);
        metrics.Refused(refusal);
        // RFC 9110 §9.3.2: an answer to HEAD has no content.
        var isHead = features.Get<IHttpRequestFeature>()?.Method == HttpMethods.Head;
        output.Replace(Write(refusal, features.Get<IHttpRequestIdentifierFeature>()?.TraceIdentifier ?? "", isHead));
    }

    /// <inheritdoc/>
    public void OnCompleted()
    {
    }

    /// <inheritdoc/>
    public void OnError(Exception error)
    {
    }

    // What Kestrel says is wrong, without what it quotes of the request, which depends on the log's level.
    private static Refusal ToRefusal(BadHttpRequestException fault) => fault.StatusCode == StatusCodes.Status408RequestTimeout
        ? new(fault.StatusCode, ErrorCodes.RequestTimeout, "The request came too slowly.")
        : new(fault.StatusCode, ErrorCodes.BadRequest, fault.Message.Split(':')[0].TrimEnd('.') + ".");

    private byte[] Write(Refusal refusal, string requestId, bool isHead)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(refusal.ToProblem(requestId), WireJson.Options);
        // RFC 9110 §6.6.1: an origin server with a clock sends Date.
        var head = string.Create(CultureInfo.InvariantCulture, $"""
            HTTP/1.1 {refusal.Status} {ReasonPhrases.GetReasonPhrase(refusal.Status)}
            Content-Type: {MediaTypeNames.Application.ProblemJson}
            Content-Length: {body.Length}
            Connection: close
            Date: {time.GetUtcNow():r}


            """).ReplaceLineEndings("\r\n");
        return [.. Encoding.ASCII.GetBytes(head), .. isHead ? [] : body];
    }
}
