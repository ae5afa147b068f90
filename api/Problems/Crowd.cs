using Microsoft.AspNetCore.Connections;
using MoxApi.Api.Health;

namespace MoxApi.Api.Problems;

/// <summary>
/// Bounds the open connections. Those past the limit are told so: a tenth as many again get 503 and are closed, all others are closed at once. Kestrel's own
/// limit would tell nothing, and count SMTP's connections too, which have their own.
/// </summary>
/// <param name="most">How many connections are served.</param>
internal sealed class Crowd(int most)
{
    private readonly int told = most + Math.Max(1, most / 10);
    private int open;

    /// <summary>Counts a listener's connections.</summary>
    public ConnectionDelegate Bound(ConnectionDelegate next) => async connection =>
    {
        try
        {
            var number = Interlocked.Increment(ref open);
            if (number > most) connection.Features.Set(this);
            if (number <= told) await next(connection);
            else connection.Abort(new ConnectionAbortedException("Too many connections."));
        }
        finally
        {
            Interlocked.Decrement(ref open);
        }
    };

    /// <summary>Refuses what came by a connection past the limit, but for those who ask whether the node is well.</summary>
    public static Task RefuseAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<Crowd>() is null) return next(context);
        context.Response.Headers.Connection = "close";
        return context.Request.Path.Value is NodeHealth.AlivePath or NodeHealth.AblePath ? next(context) : Refusal.Unavailable.ExecuteAsync(context);
    }
}
