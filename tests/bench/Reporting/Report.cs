using MoxApi.Bench.Measuring;

namespace MoxApi.Bench.Reporting;

/// <summary>A case of a scenario: the figures of each round, or why there are none.</summary>
internal sealed record Line(string Scenario, string Case, List<IReadOnlyList<Figure>> Rounds, string? NotAvailable = null)
{
    /// <summary>The figures' names, in order.</summary>
    public IEnumerable<string> Names => Rounds.SelectMany(round => round.Select(figure => figure.Name)).Distinct();

    /// <summary>A figure's value in each round that has it.</summary>
    public IReadOnlyList<double> Values(string name) => [.. Rounds.SelectMany(round => round).Where(figure => figure.Name == name).Select(figure => figure.Value)];

    /// <summary>A figure's value in the middle round.</summary>
    public double Median(string name) => Percentiles.Median(Values(name));
}

/// <summary>What was measured, and what went wrong.</summary>
internal sealed class Report(BenchOptions options)
{
    private readonly List<Line> lines = [];
    private readonly List<string> faults = [];

    public BenchOptions Options => options;

    public DateTimeOffset StartedAt { get; } = TimeProvider.System.GetUtcNow();

    public IReadOnlyList<Line> Lines => lines;

    /// <summary>Messages lost, doubled or refused, and books that do not balance, as sentences.</summary>
    public IReadOnlyList<string> Faults => faults;

    /// <summary>How many messages were counted, one by one, at the other end.</summary>
    public int Messages { get; private set; }

    /// <summary>Adds a round of a case.</summary>
    public void Add(string scenario, string what, params IReadOnlyList<Figure> figures)
    {
        var line = lines.Find(each => each.Scenario == scenario && each.Case == what);
        if (line is null) lines.Add(line = new(scenario, what, []));
        line.Rounds.Add(figures);
        Console.Error.WriteLine($"{scenario}, {what}: {string.Join(", ", figures.Select(figure => $"{figure.Name} {ReportTable.Shown(figure.Value)}"))}");
    }

    /// <summary>Notes that a case cannot be measured here.</summary>
    public void NotAvailable(string scenario, string what, string reason)
    {
        if (!lines.Exists(each => each.Scenario == scenario && each.Case == what)) lines.Add(new(scenario, what, [], reason));
    }

    /// <summary>The median of a figure of a case.</summary>
    public double Median(string scenario, string what, string name) => lines.Single(each => each.Scenario == scenario && each.Case == what).Median(name);

    /// <summary>Notes what went wrong.</summary>
    public void Fault(string fault)
    {
        faults.Add(fault);
        Console.Error.WriteLine(fault);
    }

    /// <summary>Notes how often each message of a run arrived: once is right.</summary>
    public void Counted(string run, IEnumerable<int> times)
    {
        var counts = times.ToArray();
        Messages += counts.Length;
        if (counts.Count(count => count == 0) is var lost and > 0) Fault($"{run}: {lost} of {counts.Length} messages did not arrive.");
        if (counts.Count(count => count > 1) is var doubled and > 0) Fault($"{run}: {doubled} of {counts.Length} messages arrived more than once.");
    }

    /// <summary>Notes answers that were none of acceptance.</summary>
    public void Refused(string run, IReadOnlyDictionary<string, int> refusals)
    {
        foreach (var (answer, count) in refusals.Take(3)) Fault($"{run}: {count} times: {answer}");
    }
}
