using System.Globalization;
using Microsoft.AspNetCore.Http.Features;
using MoxApi.OpenApi;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Problems;

/// <summary>An answer that refuses a request: a problem document (RFC 9457).</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">One of <see cref="ErrorCodes"/>.</param>
/// <param name="Title">What is wrong, for people.</param>
internal sealed record Refusal(int Status, string Code, string Title) : IResult
{
    public IReadOnlyList<Fault>? Errors { get; init; }

    /// <summary>When the client may try again.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary><see cref="RetryAfter"/> in whole seconds, as it is told.</summary>
    public int? RetryAfterSeconds => RetryAfter is { } wait ? (int)Math.Ceiling(wait.TotalSeconds) : null;

    public static Refusal NotFound { get; } = new(StatusCodes.Status404NotFound, ErrorCodes.NotFound, "There is no such thing.");

    /// <summary>The program cannot take the request now; nothing of it was kept.</summary>
    public static Refusal Unavailable { get; } =
        new(StatusCodes.Status503ServiceUnavailable, ErrorCodes.Unavailable, "The service cannot take the request now.") { RetryAfter = TimeSpan.FromSeconds(10) };

    /// <summary>The answer to a request with one fault that only the database knows of.</summary>
    public static Refusal Of(string faultCode, string pointer, string detail) =>
        new(StatusCodes.Status422UnprocessableEntity, ErrorCodes.InvalidRequest, "The request has 1 fault.") { Errors = [new Fault { Pointer = pointer, Code = faultCode, Detail = detail }] };

    public static Refusal TooLarge(string detail) => new(StatusCodes.Status413PayloadTooLarge, ErrorCodes.TooLarge, detail);

    /// <summary>The problem document.</summary>
    public Problem ToProblem(string requestId) => new() { Title = Title, Status = Status, Code = Code, RequestId = requestId, Errors = Errors };

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        httpContext.RequestServices.GetService<ApiMetrics>()?.Refused(this);
        response.StatusCode = Status;
        // What is still to come of the body is read for some seconds and thrown away: who sends all of it before he reads would find the connection reset in place of this.
        if (httpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = null;
        if (RetryAfterSeconds is { } wait) response.Headers.RetryAfter = wait.ToString(CultureInfo.InvariantCulture);
        await response.WriteAsJsonAsync(ToProblem(httpContext.TraceIdentifier), WireJson.Options, "application/problem+json", httpContext.RequestAborted);
    }
}

/// <summary>Leaves a request that cannot be served, from where an answer cannot be returned.</summary>
internal sealed class RefusalException(Refusal refusal) : Exception(refusal.Title)
{
    public Refusal Refusal { get; } = refusal;
}
