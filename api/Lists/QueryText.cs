using System.Net;
using System.Text;
using System.Text.Unicode;
using Microsoft.AspNetCore.WebUtilities;
using MoxApi.Api.Json;
using MoxApi.Api.Problems;
using MoxApi.Api.Swagger;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Lists;

/// <summary>Refuses a query that is not UTF-8, where there are parameters. What decodes parameters leaves such octets as they are written, and would look for the text <c>%ff</c>.</summary>
internal static class QueryText
{
    public static Task RequireUtf8Async(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<DescribedParameter>() is null || !context.Request.QueryString.HasValue) return next(context);
        var faults = new Faults();
        foreach (var parameter in new QueryStringEnumerable(context.Request.QueryString.Value))
        {
            if (!IsUtf8(parameter.EncodedName) || !IsUtf8(parameter.EncodedValue))
                faults.AddParameter(JsonPointer.Shorten(parameter.DecodeName().ToString()), FaultCodes.InvalidCharacter, "Name and value must be UTF-8, percent-encoded.");
        }
        if (faults.Any) throw new RefusalException(new(StatusCodes.Status400BadRequest, ErrorCodes.BadRequest, "The query is not UTF-8.") { Errors = faults.All });
        return next(context);
    }

    private static bool IsUtf8(ReadOnlyMemory<char> encoded)
    {
        if (!encoded.Span.Contains('%')) return true;
        var octets = new byte[Encoding.UTF8.GetMaxByteCount(encoded.Length)];
        return Utf8.IsValid(WebUtility.UrlDecodeToBytes(octets, 0, Encoding.UTF8.GetBytes(encoded.Span, octets)));
    }
}
