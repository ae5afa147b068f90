using System.Globalization;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.OpenApi;
using MoxApi.Api.Access;
using MoxApi.OpenApi.Errors;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace MoxApi.Api.Swagger;

/// <summary>Describes what endpoints say about themselves: parameters, refusals, scopes and examples.</summary>
internal sealed class OperationDescriptions : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var metadata = context.ApiDescription.ActionDescriptor.EndpointMetadata;
        foreach (var parameter in metadata.OfType<DescribedParameter>()) AddParameter(operation, parameter);
        foreach (var status in metadata.OfType<Refuses>().SelectMany(refuses => refuses.Statuses)) AddRefusal(operation, status, context);
        // Whatever asks the database is refused while that cannot answer; that is every operation, for each begins with its key.
        AddRefusal(operation, StatusCodes.Status503ServiceUnavailable, context);
        var policy = metadata.OfType<IAuthorizeData>().Select(data => data.Policy).LastOrDefault(policy => policy is not null);
        if (policy is not null) operation.Description += $"\n\nNeeds {ApiAuthentication.NeedOf(policy)}.";
        AddAnswerExample(operation);
        AddRequestExample(operation, metadata.OfType<IAcceptsMetadata>().Any(accepts => accepts.IsOptional));
    }

    private static void AddParameter(OpenApiOperation operation, DescribedParameter parameter)
    {
        operation.Parameters ??= [];
        operation.Parameters.Add(new OpenApiParameter
        {
            Name = parameter.Name,
            In = parameter.In,
            Description = parameter.Description,
            Schema = parameter.Schema,
        });
    }

    private static void AddRefusal(OpenApiOperation operation, int status, OperationFilterContext context)
    {
        operation.Responses ??= [];
        operation.Responses[status.ToString(CultureInfo.InvariantCulture)] = new OpenApiResponse
        {
            Description = ReasonPhrases.GetReasonPhrase(status),
            Content = new Dictionary<string, IOpenApiMediaType>
            {
                ["application/problem+json"] = new OpenApiMediaType
                {
                    Schema = context.SchemaGenerator.GenerateSchema(typeof(Problem), context.SchemaRepository),
                    Example = Examples.Problem(status, operation.OperationId),
                },
            },
        };
    }

    private static void AddAnswerExample(OpenApiOperation operation)
    {
        if (AnswerExamples.Answer(operation.OperationId) is not { } example) return;
        foreach (var answer in operation.Responses!.Where(response => response.Key[0] == '2'))
        {
            foreach (var media in answer.Value.Content!.Values.OfType<OpenApiMediaType>()) media.Example = example;
        }
    }

    private static void AddRequestExample(OpenApiOperation operation, bool isOptional)
    {
        if (operation.RequestBody is not OpenApiRequestBody body || Examples.Request(operation.OperationId) is not { } example) return;
        body.Required = !isOptional;
        foreach (var media in body.Content!.Values.OfType<OpenApiMediaType>()) media.Example = example;
    }
}
