using Microsoft.AspNetCore.Http.HttpResults;
using MoxApi.Api.Access;
using MoxApi.Api.Accounts;
using MoxApi.Api.Json;
using MoxApi.Api.Swagger;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Access;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Recipients;
using Erasure = MoxApi.OpenApi.Recipients.RecipientErasure;
using RecipientErasure = MoxApi.Migrations.Messages.RecipientErasure;

namespace MoxApi.Api.Recipients;

/// <summary><c>/v1/recipients/erase</c>.</summary>
internal static class ErasureEndpoints
{
    public static void MapErasure(this IEndpointRouteBuilder v1) => v1.MapGroup("/recipients").WithTags("Recipients")
        .MapPost("/erase", EraseAsync).WithName("EraseRecipient").RequireAuthorization(Scopes.Suppressions)
        .Accepts<EraseRecipientRequest>("application/json").Refuses(400, 401, 403, 413, 415, 422, 429);

    /// <summary>Erase a recipient's data</summary>
    /// <remarks>
    /// What is on its way to the address is canceled. In the messages that went to it the address is replaced by one that cannot be sent to, and their octets,
    /// subject, tags, metadata, SMTP conversations and stored webhook calls are deleted, for all of their recipients. When something was sent and how it
    /// ended remains. What the account received from the address is not touched. The request can be repeated. Not with a test key.
    /// </remarks>
    /// <response code="200">How much was erased.</response>
    private static async Task<Ok<Erasure>> EraseAsync(HttpContext http, StoredErasure erasure, PublicIds ids, CancellationToken cancellationToken)
    {
        var caller = http.Caller().RefuseTest();
        var faults = new Faults();
        var request = await JsonBody.ReadAsync<EraseRecipientRequest>(http.Request, faults, cancellationToken);
        if (!MailAddress.TryParse(request.Address, out var address, out var fault)) faults.Add("/address", FaultCodes.InvalidAddress, fault);
        else if (BaseAddress.Of(address) == RecipientErasure.Placeholder) faults.Add("/address", FaultCodes.InvalidAddress, "This stands for everybody who was erased.");
        var account = request.AccountId is { } id ? caller.Sees(id, ids) : caller.AccountId;
        if (account is null) faults.Add("/accountId", FaultCodes.UnknownReference, "There is no such account.");
        faults.ThrowIfAny();
        return TypedResults.Ok(await erasure.EraseAsync(account!.Value, address!, request.KeepSuppression ?? true, cancellationToken));
    }
}
