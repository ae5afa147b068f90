using System.Net.Http.Headers;
using System.Text;
using Hangfire;
using Hangfire.Dashboard;
using MoxApi.Api.Access;
using MoxApi.Api.Problems;

namespace MoxApi.Api.Hosting;

/// <summary>Hangfire's dashboard at <c>/hangfire</c>, for admins: Basic with an API key of scope admin as password.</summary>
internal static class Dashboard
{
    /// <summary>Maps it.</summary>
    public static void MapDashboard(this WebApplication app)
    {
        app.Use(async (context, next) =>
        {
            try
            {
                await next(context);
            }
            catch (FormatException) when (context.Request.Path.StartsWithSegments("/hangfire"))
            {
                // A job's id in the path that is none.
                throw new RefusalException(Refusal.NotFound);
            }
        });
        app.MapHangfireDashboard("/hangfire", new DashboardOptions { Authorization = [], AsyncAuthorization = [new AdminsOnly()], DisplayStorageConnectionString = false });
    }

    private sealed class AdminsOnly : IDashboardAsyncAuthorizationFilter
    {
        public async Task<bool> AuthorizeAsync(DashboardContext context)
        {
            var http = context.GetHttpContext();
            if (await KeyOfAsync(http) is { IsAdmin: true } && IsSameOrigin(http.Request)) return true;
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"MoxApi\"";
            http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return false;
        }

        private static async Task<Caller?> KeyOfAsync(HttpContext http)
        {
            if (!AuthenticationHeaderValue.TryParse(http.Request.Headers.Authorization, out var value) || value is not { Scheme: "Basic", Parameter: { Length: < 1024 } parameter }) return null;
            var octets = new byte[parameter.Length];
            if (!Convert.TryFromBase64String(parameter, octets, out var count)) return null;
            return Encoding.UTF8.GetString(octets, 0, count).Split(':', 2) is [_, var key]
                ? await http.RequestServices.GetRequiredService<ICredentials>().FindByKeyAsync(key, http.RequestAborted)
                : null;
        }

        // A browser sends Basic credentials with every request, whoever made it: what changes something must come from our own page.
        private static bool IsSameOrigin(HttpRequest request) =>
            HttpMethods.IsGet(request.Method) || request.Headers.Origin is [{ } origin] && origin == $"{request.Scheme}://{request.Host}";
    }
}
