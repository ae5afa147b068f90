using System.Diagnostics.Metrics;
using MoxApi.Api.Problems;

namespace MoxApi.Api;

/// <summary>What the HTTP API measures beside ASP.NET Core, under the meter <c>MoxApi.Api</c>.</summary>
internal sealed class ApiMetrics : IDisposable
{
    private readonly Meter meter = new("MoxApi.Api");
    private readonly Counter<long> refusals;

    public ApiMetrics() => refusals = meter.CreateCounter<long>("moxapi_api_refusals", description: "Requests refused, by status and code.");

    /// <summary>Counts an answer that refuses.</summary>
    public void Refused(Refusal refusal) => refusals.Add(1, new("status", refusal.Status), new("code", refusal.Code));

    public void Dispose() => meter.Dispose();
}
