using System.Text.Json;
using Microsoft.OpenApi;
using MoxApi.Api.Json;
using MoxApi.Api.Swagger;
using MoxApi.OpenApi;
using MoxApi.OpenApi.Events;
using MoxApi.OpenApi.Webhooks;

namespace MoxApi.Api.Webhooks;

/// <summary>Which of a webhook's deliveries are wanted: parameters of the query; what is absent does not matter.</summary>
internal sealed record DeliveryFilters(WebhookDeliveryStatus? Status, EventType? Type, DateTimeOffset? Since, DateTimeOffset? Until)
{
    public static string[] Names { get; } = ["status", "type", "since", "until"];

    public static DescribedParameter[] Described { get; } =
    [
        new("status", ParameterLocation.Query, "What became of the deliveries.", new OpenApiSchema { Type = JsonSchemaType.String, Enum = ["pending", "delivered", "failed"] }),
        new("type", ParameterLocation.Query, "The type of the events.", new OpenApiSchema { Type = JsonSchemaType.String, Examples = ["message.failed"] }),
        new("since", ParameterLocation.Query, "Deliveries made at this time or later.", new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" }),
        new("until", ParameterLocation.Query, "Deliveries made before this time.", new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" }),
    ];

    public static DeliveryFilters Read(IQueryCollection query, Faults faults) => new(
        TryRead<WebhookDeliveryStatus>(query, "status", faults, out var status) ? status : null,
        TryRead<EventType>(query, "type", faults, out var type) ? type : null,
        TryRead<DateTimeOffset>(query, "since", faults, out var since) ? since : null,
        TryRead<DateTimeOffset>(query, "until", faults, out var until) ? until : null);

    // Written and judged as the same value in a body is.
    private static bool TryRead<T>(IQueryCollection query, string name, Faults faults, out T value) where T : struct
    {
        value = default;
        if (!query.TryGetValue(name, out var given)) return false;
        var text = JsonSerializer.SerializeToElement(given.ToString(), WireJson.Options);
        if (Scalar.Fault(text, WireJson.Options.GetTypeInfo(typeof(T))) is { } fault) faults.AddParameter(name, fault.Code, fault.Detail);
        else value = text.Deserialize<T>(WireJson.Options);
        return true;
    }
}
