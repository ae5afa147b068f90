using MoxApi.Api.Problems;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Access;

/// <summary>
/// Keeps pages of other sites from posting forms with a login that the browser remembers. JSON needs no such care: a browser asks first whether a page may
/// post it, and is not answered.
/// </summary>
internal static class FormOrigin
{
    /// <exception cref="RefusalException">The request has a login, and comes from another site's page.</exception>
    public static void Require(HttpRequest request)
    {
        if (request.Headers.Origin is not [{ } origin] || !request.Headers.Authorization.ToString().StartsWith("Basic ", StringComparison.OrdinalIgnoreCase)) return;
        if (Uri.TryCreate(origin, UriKind.Absolute, out var page) && page.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase)) return;
        throw new RefusalException(new(StatusCodes.Status401Unauthorized, ErrorCodes.Unauthorized, "A form of another site's page needs an API key in place of a login."));
    }
}
