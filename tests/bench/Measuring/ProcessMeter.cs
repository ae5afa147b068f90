using System.Globalization;

namespace MoxApi.Bench.Measuring;

/// <summary>Processor time and memory of a process, or of one and its descendants, as Linux accounts for them.</summary>
internal sealed class ProcessMeter
{
    // USER_HZ, in which /proc counts: 100 on every Linux that .NET runs on.
    private const double TicksPerSecond = 100;

    private readonly int id;
    private readonly bool withDescendants;

    private ProcessMeter(int id, bool withDescendants) => (this.id, this.withDescendants) = (id, withDescendants);

    /// <summary>One process.</summary>
    public static ProcessMeter Of(int id) => new(id, withDescendants: false);

    /// <summary>A server with its workers, those that have ended included.</summary>
    public static ProcessMeter OfTree(int id) => new(id, withDescendants: true);

    /// <summary>User and system time so far, in seconds.</summary>
    public double CpuSeconds() => withDescendants
        ? Tree().Sum(each => Ticks(each, alsoReaped: true)) / TicksPerSecond
        : Ticks(id, alsoReaped: false) / TicksPerSecond;

    /// <summary>Resident memory in MB; of several processes each one's share of what they share.</summary>
    public double Megabytes() => withDescendants ? Tree().Sum(each => Kilobytes(each, "smaps_rollup", "Pss:")) / 1024 : Kilobytes(id, "status", "VmRSS:") / 1024;

    /// <summary>The most resident memory since <see cref="ForgetPeak"/>, in MB. For a single process.</summary>
    public double PeakMegabytes() => Kilobytes(id, "status", "VmHWM:") / 1024;

    /// <summary>Starts the peak over.</summary>
    public void ForgetPeak() => File.WriteAllText(PathOf(id, "clear_refs"), "5");

    private IEnumerable<int> Tree()
    {
        var parents = Directory.EnumerateDirectories("/proc").Select(Path.GetFileName)
            .Where(name => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .Select(name => int.Parse(name!, CultureInfo.InvariantCulture))
            .Select(process => (Process: process, Parent: Fields(process) is [_, var parent, ..] ? parent : -1))
            .ToLookup(each => each.Parent, each => each.Process);
        return Below(id);

        IEnumerable<int> Below(int process) => parents[process].SelectMany(Below).Prepend(process);
    }

    // proc(5): user and system time, and after them those of children that were waited for.
    private static long Ticks(int process, bool alsoReaped) => Fields(process).Skip(11).Take(alsoReaped ? 4 : 2).Sum(ticks => (long)ticks);

    // The fields behind the name, which may have spaces and parentheses itself; the state as 0. Empty where the process has ended.
    private static int[] Fields(int process)
    {
        var text = Read(process, "stat");
        return [.. text[(text.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(15)
            .Select(field => int.TryParse(field, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : 0)];
    }

    private static double Kilobytes(int process, string file, string name) =>
        Read(process, file).Split('\n').FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) is { } line
            ? double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)
            : 0;

    private static string Read(int process, string file)
    {
        try
        {
            return File.ReadAllText(PathOf(process, file));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return ""; // It has ended meanwhile.
        }
    }

    private static string PathOf(int process, string file) => string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/{file}");
}
