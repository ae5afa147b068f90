using System.Net;
using System.Net.Http.Headers;
using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using MoxApi.Api.Problems;
using MoxApi.OpenApi.Access;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Access;

/// <summary>Authenticates requests by <c>Authorization: Bearer mox_…</c>, or Basic with an address and a password (RFC 6750, RFC 7617).</summary>
internal sealed class ApiAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, ICredentials credentials)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string Name = "MoxApi";

    /// <summary>The policy for what keys may not do, lest one make others: admins, and who logs in with the account's password.</summary>
    public const string Owner = "owner";

    private const int MaxHeader = 1024;

    /// <summary>Registers the scheme, and a policy of each scope's name.</summary>
    public static void Add(IServiceCollection services)
    {
        services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, ApiAuthentication>(Name, null);
        var authorization = services.AddAuthorizationBuilder();
        foreach (var scope in Scopes.All) Add(authorization, scope, caller => caller.Has(scope));
        Add(authorization, Owner, caller => caller.IsAdmin || caller.IsLogin);
    }

    /// <summary>What an endpoint with a policy needs, for people.</summary>
    public static string NeedOf(string policy) => policy == Owner ? $"the scope `{Scopes.Admin}`, or an address and the account's password" : $"the scope `{policy}`";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        // What is open to all, such as /healthz, must answer also while PostgreSQL, which knows the keys, is away.
        if (Context.GetEndpoint()?.Metadata.GetMetadata<IAuthorizeData>() is null) return AuthenticateResult.NoResult();
        if (await FindCallerAsync() is not { } caller) return AuthenticateResult.NoResult();
        Context.Features.Set(caller);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity(Name)), Name));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // RFC 9110 §11.6.1: a 401 has a challenge. Basic is not offered here: browsers would ask for a password in the middle of a page.
        Response.Headers.WWWAuthenticate = "Bearer realm=\"MoxApi\"";
        return new Refusal(StatusCodes.Status401Unauthorized, ErrorCodes.Unauthorized, "The request needs a valid API key, or an address and its password.").ExecuteAsync(Context);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        var policy = Context.GetEndpoint()?.Metadata.GetOrderedMetadata<IAuthorizeData>().Select(data => data.Policy).LastOrDefault(policy => policy is not null);
        return new Refusal(StatusCodes.Status403Forbidden, ErrorCodes.MissingScope, $"The key lacks {NeedOf(policy!).Replace('`', '"')}.").ExecuteAsync(Context);
    }

    private static void Add(AuthorizationBuilder authorization, string name, Func<Caller, bool> may) => authorization.AddPolicy(name, policy => policy
        .AddAuthenticationSchemes(Name)
        .RequireAuthenticatedUser()
        .RequireAssertion(context => context.Resource is HttpContext http && http.Features.Get<Caller>() is { } caller && may(caller)));

    private async Task<Caller?> FindCallerAsync()
    {
        if (Request.Headers.Authorization is not [{ Length: <= MaxHeader } header]) return null;
        if (!AuthenticationHeaderValue.TryParse(header, out var value) || value.Parameter is not { Length: > 0 } parameter) return null;
        if (value.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase)) return await credentials.FindByKeyAsync(parameter, Context.RequestAborted);
        if (!value.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)) return null;
        if (TryDecode(parameter) is not [var address, var password]) return null;
        return await credentials.FindByPasswordAsync(address, password, Context.Connection.RemoteIpAddress ?? IPAddress.None, Context.RequestAborted);
    }

    private static string[]? TryDecode(string base64)
    {
        var octets = new byte[base64.Length];
        // RFC 7617 §2: the user-id has no colon, the password may.
        return Convert.TryFromBase64String(base64, octets, out var count) ? Encoding.UTF8.GetString(octets, 0, count).Split(':', 2) : null;
    }
}

internal static class CallerExtensions
{
    /// <summary>The caller of an authorized request.</summary>
    public static Caller Caller(this HttpContext context) => context.Features.Get<Caller>() ?? throw new InvalidOperationException("The endpoint does not require authorization.");
}
