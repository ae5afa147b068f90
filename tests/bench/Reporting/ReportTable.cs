using System.Globalization;
using MoxApi.Bench.Measuring;
using Spectre.Console;

namespace MoxApi.Bench.Reporting;

/// <summary>The report for people: a table per scenario, with the medians of all rounds.</summary>
internal static class ReportTable
{
    /// <summary>Writes it to standard output.</summary>
    public static void Write(Report report)
    {
        // Not as narrow as a terminal that is none, such as a file, seems to be.
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });
        if (Console.IsOutputRedirected) console.Profile.Width = 200;
        foreach (var scenario in report.Lines.GroupBy(line => line.Scenario)) console.Write(TableOf(scenario.Key, [.. scenario]));
        // Some are taken once, however many rounds are asked for.
        var most = report.Lines.SelectMany(line => line.Names.Select(name => line.Values(name).Count)).DefaultIfEmpty(1).Max();
        var rounds = most == 1 ? "of one round" : $"the medians of up to {most} rounds, rates with the least and the most";
        console.WriteLine($"{(report.Options.Quick ? "Quick: these figures mean nothing. " : "")}Figures are {rounds}; CONTRIBUTING.md says what each means.");
        foreach (var fault in report.Faults) console.WriteLine(fault);
        console.WriteLine(report.Faults.Count == 0
            ? $"{report.Messages} messages were counted: none was lost, none doubled, and the books balance."
            : $"{report.Faults.Count} things went wrong, see above.");
    }

    /// <summary>A value with the digits that matter.</summary>
    public static string Shown(double value) => value.ToString(Math.Abs(value) switch { >= 100 => "#,0", >= 10 => "0.0", _ => "0.00" }, CultureInfo.InvariantCulture);

    private static Table TableOf(string scenario, Line[] lines)
    {
        var names = lines.SelectMany(line => line.Names).Distinct().ToArray();
        var table = new Table { Title = new TableTitle(scenario), Border = TableBorder.Rounded };
        table.AddColumn("");
        foreach (var name in names) table.AddColumn(new TableColumn(name).RightAligned());
        foreach (var line in lines)
        {
            var cells = line.NotAvailable is { } reason
                ? names.Select((_, n) => n == 0 ? $"n/a: {reason}" : "")
                : names.Select(name => Cell(name, line.Values(name)));
            table.AddRow([line.Case, .. cells.Select(Markup.Escape)]);
        }
        if (names.Length == 0) foreach (var line in lines) table.Caption = new TableTitle($"n/a: {line.NotAvailable}");
        return table;
    }

    private static string Cell(string name, IReadOnlyList<double> values) => values.Count switch
    {
        0 => "",
        > 1 when name == Figure.PerSecond => $"{Shown(Percentiles.Median(values))} ({Shown(values.Min())}–{Shown(values.Max())})",
        _ => Shown(Percentiles.Median(values)),
    };
}
