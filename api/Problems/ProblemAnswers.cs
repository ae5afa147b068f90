using Microsoft.AspNetCore.Connections;
using Microsoft.EntityFrameworkCore;
using MoxApi.Migrations.Writing;
using MoxApi.OpenApi.Errors;
using Npgsql;

namespace MoxApi.Api.Problems;

/// <summary>Sees to it that every refusal is a problem document, whoever refuses: a handler, the framework, or a fault of the program.</summary>
internal sealed partial class ProblemAnswers(RequestDelegate next, ILogger<ProblemAnswers> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (!context.Response.HasStarted && ForStatus(context) is { } refusal) await refusal.ExecuteAsync(context);
        }
        catch (Exception gone) when (gone is ConnectionResetException || (gone is OperationCanceledException && context.RequestAborted.IsCancellationRequested))
        {
            // The client has gone; nobody reads an answer.
        }
        catch (Exception fault) when (!context.Response.HasStarted)
        {
            context.Response.Clear();
            await ForException(fault, context, logger).ExecuteAsync(context);
        }
    }

    /// <summary>The answer to what was thrown, which is logged where the client is not to blame.</summary>
    public static Refusal ForException(Exception fault, HttpContext context, ILogger logger)
    {
        switch (fault)
        {
            case RefusalException refused:
                return refused.Refusal;
            case BadHttpRequestException bad:
                return ForBadRequest(bad.StatusCode);
            // What Kestrel throws at a chunk's size that is no int.
            case IOException { InnerException: OverflowException }:
                return ForBadRequest(StatusCodes.Status400BadRequest);
            case var gone when IsGone(gone):
                return Refusal.NotFound;
            case var passing when PassingFault.IsOutage(passing) || PassingFault.IsShortage(passing):
                Log.Passing(logger, context.Request.Method, context.GetEndpoint()?.DisplayName, context.TraceIdentifier, passing.Message);
                return Refusal.Unavailable;
            default:
                Log.Unhandled(logger, context.Request.Method, context.GetEndpoint()?.DisplayName, context.TraceIdentifier, fault);
                return new(StatusCodes.Status500InternalServerError, ErrorCodes.InternalError, "The service failed to handle the request.");
        }
    }

    // What was to be changed, or what it belongs to, was deleted by somebody else at the same time.
    private static bool IsGone(Exception fault) =>
        fault is DbUpdateConcurrencyException or DbUpdateException { InnerException: PostgresException { SqlState: PostgresErrorCodes.ForeignKeyViolation } };

    private static Refusal ForBadRequest(int status) => status switch
    {
        StatusCodes.Status413PayloadTooLarge => Refusal.TooLarge("The request is larger than allowed."),
        StatusCodes.Status408RequestTimeout => new(status, ErrorCodes.RequestTimeout, "The request came too slowly."),
        _ => new(StatusCodes.Status400BadRequest, ErrorCodes.BadRequest, "The request is no valid HTTP request."),
    };

    /// <summary>The problem for a status that came without a body.</summary>
    private static Refusal? ForStatus(HttpContext context) => (context.Response.StatusCode, context.Response.ContentType) switch
    {
        (StatusCodes.Status401Unauthorized, null) => new(401, ErrorCodes.Unauthorized, "The credentials are missing, or are none for this."),
        (StatusCodes.Status404NotFound, null) => new(404, ErrorCodes.NotFound, "There is nothing at this address."),
        (StatusCodes.Status405MethodNotAllowed, null) => new(405, ErrorCodes.MethodNotAllowed, "The method does not fit the address."),
        (StatusCodes.Status415UnsupportedMediaType, null) => new(415, ErrorCodes.UnsupportedMediaType, "The operation does not take a body of this media type; most take application/json."),
        (StatusCodes.Status400BadRequest, null) => ForBadRequest(400),
        _ => null,
    };

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Method} {Endpoint} failed; request {RequestId}")]
        public static partial void Unhandled(ILogger logger, string method, string? endpoint, string requestId, Exception fault);

        [LoggerMessage(2, LogLevel.Warning, "{Method} {Endpoint} could not be served for now; request {RequestId}: {Fault}")]
        public static partial void Passing(ILogger logger, string method, string? endpoint, string requestId, string fault);
    }
}
