using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace MoxApi.Api.Swagger;

/// <summary>Keeps null out of the document: in this API what is optional is absent, so a field has one type.</summary>
internal sealed class PlainSchemas : ISchemaFilter
{
    public void Apply(IOpenApiSchema schema, SchemaFilterContext context)
    {
        if (schema is not OpenApiSchema plain) return;
        plain.Type &= ~JsonSchemaType.Null;
        if (plain.Enum is { } words) plain.Enum = [.. words.Where(word => word is not null)];
    }
}
