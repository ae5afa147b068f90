using Microsoft.OpenApi;
using MoxApi.Api.Json;
using MoxApi.Api.Lists;
using MoxApi.Api.Swagger;
using MoxApi.OpenApi.Events;
using MoxApi.OpenApi.Webhooks;

namespace MoxApi.Api.Webhooks;

/// <summary>Which of a webhook's deliveries are wanted: parameters of the query; what is absent does not matter.</summary>
internal sealed record DeliveryFilters(WebhookDeliveryStatus? Status, EventType? Type, DateTimeOffset? Since, DateTimeOffset? Until)
{
    public static string[] Names { get; } = ["status", "type", "since", "until"];

    public static DescribedParameter[] Described { get; } =
    [
        DescribedParameter.Filter<WebhookDeliveryStatus>("status", "What became of the deliveries."),
        DescribedParameter.Filter<EventType>("type", "The type of the events."),
        new("since", ParameterLocation.Query, "Deliveries made at this time or later.", new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" }),
        new("until", ParameterLocation.Query, "Deliveries made before this time.", new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" }),
    ];

    public static DeliveryFilters Read(IQueryCollection query, Faults faults) => new(
        Filters.Word<WebhookDeliveryStatus>(query, "status", faults),
        Filters.Word<EventType>(query, "type", faults),
        Filters.Time(query, "since", faults),
        Filters.Time(query, "until", faults));
}
