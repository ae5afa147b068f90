using MoxApi.Api.Access;
using MoxApi.Api.Json;
using MoxApi.Api.Messages.Rules;
using MoxApi.Api.Problems;
using MoxApi.OpenApi.Access;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Keys;

namespace MoxApi.Api.Keys;

/// <summary>The rules for a key. None may be made that is stronger than who makes it.</summary>
internal static class KeyRules
{
    public const int MaxName = 64;
    public const int MaxDomains = 100;
    private static readonly string[] Resettable = ["domains", "expiresAt"];

    /// <summary>Names what is wrong with a request, but for its domains, which the database knows.</summary>
    public static void Check(CreateApiKeyRequest request, DateTimeOffset now, Faults faults)
    {
        TextRules.Word(request.Name, MaxName, "/name", faults);
        CheckLimits(request.Scopes, request.Domains, request.ExpiresAt, now, faults);
        CheckAdmin(request.Scopes ?? [], request.Domains is not null, request.Test == true, faults);
    }

    /// <summary>Names what is wrong with a request, but for its domains, which the database knows.</summary>
    public static void Check(ChangeApiKeyRequest request, DateTimeOffset now, Faults faults)
    {
        if (request.Name is { } name) TextRules.Word(name, MaxName, "/name", faults);
        CheckLimits(request.Scopes, request.Domains, request.ExpiresAt, now, faults);
        ResetRules.Check(request.Reset, Resettable, request, faults);
    }

    /// <summary>A key that rules the installation is neither limited to domains, which it could change, nor for tests.</summary>
    public static void CheckAdmin(IReadOnlyList<ApiKeyScope> scopes, bool limited, bool test, Faults faults)
    {
        if (!scopes.Contains(ApiKeyScope.Admin)) return;
        if (limited) faults.Add("/domains", FaultCodes.InvalidValue, "A key with the scope admin has no limit to domains.");
        if (test) faults.Add("/scopes", FaultCodes.InvalidValue, "A test key has no scope admin.");
    }

    /// <exception cref="RefusalException">Only an admin may have to do with a key that has the scope admin.</exception>
    public static void RequireAdmin(Caller caller, IEnumerable<ApiKeyScope> scopes)
    {
        if (scopes.Contains(ApiKeyScope.Admin) && !caller.IsAdmin)
            throw new RefusalException(new(StatusCodes.Status403Forbidden, ErrorCodes.MissingScope, $"A key with the scope \"{Scopes.Admin}\" takes the scope \"{Scopes.Admin}\"."));
    }

    /// <summary>A scope as it is stored.</summary>
    public static string Stored(ApiKeyScope scope) => scope.ToString().ToLowerInvariant();

    /// <summary>A stored scope as the contract has it.</summary>
    public static ApiKeyScope Of(string scope) => Enum.Parse<ApiKeyScope>(scope, ignoreCase: true);

    private static void CheckLimits(IReadOnlyList<ApiKeyScope>? scopes, IReadOnlyList<string>? domains, DateTimeOffset? expiresAt, DateTimeOffset now, Faults faults)
    {
        if (scopes is { Count: 0 }) faults.Add("/scopes", FaultCodes.InvalidValue, "A key has at least one scope.");
        if (domains is { Count: 0 }) faults.Add("/domains", FaultCodes.InvalidValue, "A limit to domains names at least one.");
        if (domains is { Count: > MaxDomains }) faults.Add("/domains", FaultCodes.TooMany, $"A key names at most {MaxDomains} domains.");
        if (expiresAt <= now) faults.Add("/expiresAt", FaultCodes.InvalidValue, "The time is to come.");
    }
}
