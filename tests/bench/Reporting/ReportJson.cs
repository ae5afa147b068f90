using System.Text.Json;
using System.Text.Json.Nodes;
using MoxApi.Bench.Measuring;

namespace MoxApi.Bench.Reporting;

/// <summary>The report for programs: every round of every case.</summary>
internal static class ReportJson
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Composes it.</summary>
    public static string Of(Report report) => new JsonObject
    {
        ["startedAt"] = report.StartedAt,
        ["machine"] = new JsonObject { ["cores"] = Environment.ProcessorCount, ["loadAverageAtEnd"] = Meter.LoadAverage() },
        ["rounds"] = report.Options.Rounds,
        ["quick"] = report.Options.Quick,
        ["messagesCounted"] = report.Messages,
        ["faults"] = new JsonArray([.. report.Faults.Select(fault => JsonValue.Create(fault))]),
        ["results"] = new JsonArray([.. report.Lines.Select(Of)]),
    }.ToJsonString(Indented);

    private static JsonObject Of(Line line)
    {
        var result = new JsonObject { ["scenario"] = line.Scenario, ["case"] = line.Case };
        if (line.NotAvailable is { } reason) result["notAvailable"] = reason;
        else
        {
            result["median"] = new JsonObject(line.Names.Select(name => KeyValuePair.Create<string, JsonNode?>(name, line.Median(name))));
            result["rounds"] = new JsonArray([.. line.Rounds.Select(round =>
                new JsonObject(round.Select(figure => KeyValuePair.Create<string, JsonNode?>(figure.Name, figure.Value))))]);
        }
        return result;
    }
}
