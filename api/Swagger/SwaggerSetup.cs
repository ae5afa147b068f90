using Microsoft.OpenApi;
using MoxApi.OpenApi;
using Swashbuckle.AspNetCore.Swagger;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace MoxApi.Api.Swagger;

/// <summary>The OpenAPI document and the page to try it out.</summary>
internal static class SwaggerSetup
{
    public static void AddSwagger(IServiceCollection services)
    {
        services.AddEndpointsApiExplorer();
        services.AddSingleton<ISerializerDataContractResolver>(new JsonSerializerDataContractResolver(WireJson.Options));
        services.AddSwaggerGen(Describe);
        services.Configure<SwaggerOptions>(options => options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1);
    }

    /// <summary>Serves the document at <c>/swagger/v1/swagger.json</c>, the page at <c>/swagger</c>.</summary>
    public static void UseSwagger(WebApplication app)
    {
        app.UseSwagger();
        app.UseSwaggerUI(page =>
        {
            page.DocumentTitle = "MoxApi";
            page.SwaggerEndpoint("v1/swagger.json", "MoxApi v1");
            page.EnablePersistAuthorization();
            page.EnableTryItOutByDefault();
            page.DisplayRequestDuration();
        });
    }

    private static void Describe(SwaggerGenOptions options)
    {
        options.SwaggerDoc("v1", new OpenApiInfo
        {
            Title = "MoxApi",
            Version = "v1",
            Description = "Send email over HTTP, and learn what becomes of it. In requests unknown fields are refused; in answers fields may be added. " +
                "What is optional is absent, never null. Times are RFC 3339 in UTC; ids and cursors are opaque. Answers say in RateLimit-Policy and RateLimit how many " +
                "requests are left; 429 and 503 say in Retry-After when to come back.",
            License = new OpenApiLicense { Name = "MIT", Identifier = "MIT" },
        });
        options.SupportNonNullableReferenceTypes();
        options.CustomSchemaIds(Name);
        options.IncludeXmlComments(typeof(SwaggerSetup).Assembly);
        options.IncludeXmlComments(typeof(WireJson).Assembly);
        options.SchemaFilter<PlainSchemas>();
        options.OperationFilter<OperationDescriptions>();
        options.OperationFilter<FormBody>();
        Secure(options, "Bearer", new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "An API key. In the local sandbox: `mox_local_sandbox`.",
        });
        Secure(options, "Basic", new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "basic",
            Description = "An address of the account, and the account's password.",
        });
    }

    /// <summary>Each scheme alone will do.</summary>
    private static void Secure(SwaggerGenOptions options, string name, OpenApiSecurityScheme scheme)
    {
        options.AddSecurityDefinition(name, scheme);
        options.AddSecurityRequirement(document => new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(name, document)] = [] });
    }

    /// <summary><c>Page&lt;Event&gt;</c> is <c>EventPage</c>.</summary>
    private static string Name(Type type) => type.IsConstructedGenericType
        ? string.Concat(type.GetGenericArguments().Select(Name)) + type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]
        : type.Name;
}
