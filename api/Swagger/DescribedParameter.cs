using Microsoft.OpenApi;
using MoxApi.Api.Lists;

namespace MoxApi.Api.Swagger;

/// <summary>A parameter that an endpoint reads by itself, to name its faults beside others, and that the document must describe.</summary>
internal sealed record DescribedParameter(string Name, ParameterLocation In, string Description, OpenApiSchema Schema)
{
    public static DescribedParameter IdempotencyKey { get; } = new(Messages.IdempotencyKey.Header, ParameterLocation.Header,
        "Names the send. The same key with the same message gives the first answer again for 24 hours, and nothing is sent twice; with another message it is refused.",
        new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = 255, Examples = ["order-42-receipt"] });

    /// <summary>A filter of a list by a word of an enumeration.</summary>
    public static DescribedParameter Filter<TEnum>(string name, string description)
        where TEnum : struct, Enum => new(name, ParameterLocation.Query, description, new OpenApiSchema
        {
            Type = JsonSchemaType.String,
            Enum = [.. Enum.GetValues<TEnum>().Select(value => System.Text.Json.JsonSerializer.SerializeToNode(value, OpenApi.WireJson.Options)!)],
        });

    public static DescribedParameter BatchIdempotencyKey { get; } = IdempotencyKey with
    {
        Description = "Names the batch. Sent again within 24 hours, its messages that were accepted get their first answer, and the others are sent, so that each is sent once. " +
            "A message that is not the one of its number before is refused.",
    };

    public static DescribedParameter[] Paging { get; } =
    [
        new("limit", ParameterLocation.Query, "The most entries of the page.",
            new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32", Minimum = "1", Maximum = $"{PageRequest.MaxLimit}", Default = PageRequest.DefaultLimit }),
        new("after", ParameterLocation.Query, "Gives the entries that follow: the cursor `next` of a page. Not together with `before`.",
            new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = PageRequest.MaxCursor }),
        new("before", ParameterLocation.Query, "Gives the entries ahead: the cursor `previous` of a page. Not together with `after`.",
            new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = PageRequest.MaxCursor }),
    ];
}

/// <summary>The statuses that an endpoint may refuse with, besides 503.</summary>
internal sealed record Refuses(IReadOnlyList<int> Statuses);

internal static class DescriptionExtensions
{
    public static RouteHandlerBuilder Describes(this RouteHandlerBuilder endpoint, params DescribedParameter[] parameters) => endpoint.WithMetadata([.. parameters]);

    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder endpoint, params int[] statuses) => endpoint.WithMetadata(new Refuses(statuses));
}
