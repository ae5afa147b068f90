using Microsoft.OpenApi;
using MoxApi.Api.Messages.Rules;
using MoxApi.Api.Messages.Searching;
using MoxApi.OpenApi.Messages;

namespace MoxApi.Api.Swagger;

/// <summary>The filters of lists.</summary>
internal static class DescribedFilter
{
    /// <summary>Those of messages.</summary>
    public static DescribedParameter[] Messages { get; } =
    [
        DescribedParameter.Filter<RecipientStatus>("status", "Messages with a recipient in this state. `delivering` finds those that a worker has in hand just now; they, and those " +
            "whose time has just come, are found by the state before as well. Together with `recipient`: that recipient is in this state."),
        Query("recipient", "Messages to this address, in any of the spellings that suppression takes for the same: whatever the case, and what follows a `+`.", Text(3, MessageFilter.MaxAddress, "jane@example.org")),
        Query("tag", "Messages with exactly this tag.", Text(1, LabelRules.MaxTag, "receipt")),
        Query("subject", "Messages whose subject has this text in it, in upper or lower case.", Text(MessageFilter.MinSubject, MessageFilter.MaxSubject, "receipt")),
        Query("acceptedFrom", "Messages accepted at this time or later.", Time("2026-11-22T00:00:00Z")),
        Query("acceptedTo", "Messages accepted before this time.", Time("2026-11-23T00:00:00Z")),
        Query("count", $"Whether the answer has `total`, counted up to {MessageSearch.CountCap:N0}.", new OpenApiSchema { Type = JsonSchemaType.Boolean, Default = false }),
    ];

    private static DescribedParameter Query(string name, string description, OpenApiSchema schema) => new(name, ParameterLocation.Query, description, schema);

    private static OpenApiSchema Text(int min, int max, string example) => new() { Type = JsonSchemaType.String, MinLength = min, MaxLength = max, Examples = [example] };

    private static OpenApiSchema Time(string example) => new() { Type = JsonSchemaType.String, Format = "date-time", Examples = [example] };
}
