using Microsoft.OpenApi;
using MoxApi.Api.Messages.Reading;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace MoxApi.Api.Swagger;

/// <summary>Describes the form that a send may come as: its JSON in one part, files in others.</summary>
internal sealed class FormBody : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        if (operation.RequestBody?.Content?.TryGetValue(SendFormReader.MediaType, out var media) != true || media is not OpenApiMediaType form) return;
        form.Example = null;
        form.Schema = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Required = new HashSet<string> { SendFormReader.MessagePart },
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                [SendFormReader.MessagePart] = form.Schema!,
                [SendFormReader.AttachmentPart] = new OpenApiSchema
                {
                    Type = JsonSchemaType.Array,
                    Description = "Files as they are, each with its own name and type.",
                    Items = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" },
                },
            },
        };
        form.Encoding = new Dictionary<string, OpenApiEncoding> { [SendFormReader.MessagePart] = new() { ContentType = "application/json" } };
    }
}
