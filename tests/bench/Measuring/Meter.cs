using System.Globalization;

namespace MoxApi.Bench.Measuring;

/// <summary>What a round costs: processor time of the program, of its database and of these tools, and memory.</summary>
internal sealed class Meter
{
    private static readonly ProcessMeter Tools = ProcessMeter.Of(Environment.ProcessId);

    private readonly ProcessMeter program;
    private readonly ProcessMeter? database;
    private readonly bool isOne;
    private readonly (double Program, double Database, double Tools) before;
    private readonly double load = LoadAverage();

    private Meter(ProcessMeter program, ProcessMeter? database, bool isOne)
    {
        (this.program, this.database, this.isOne) = (program, database, isOne);
        if (isOne) program.ForgetPeak();
        before = (program.CpuSeconds(), database?.CpuSeconds() ?? 0, Tools.CpuSeconds());
    }

    /// <summary>Starts to measure the program, a process, and its PostgreSQL.</summary>
    public static Meter Start(int program, int database) => new(ProcessMeter.Of(program), ProcessMeter.OfTree(database), isOne: true);

    /// <summary>Starts to measure a server of many processes.</summary>
    public static Meter StartTree(int program) => new(ProcessMeter.OfTree(program), database: null, isOne: false);

    /// <summary>The machine's load average of the last minute.</summary>
    public static double LoadAverage() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    /// <summary>What it has cost since the start, for each of some messages.</summary>
    public IEnumerable<Figure> Read(int messages)
    {
        yield return new("programCpuUs", Each(program.CpuSeconds() - before.Program));
        if (database is not null) yield return new("postgresCpuUs", Each(database.CpuSeconds() - before.Database));
        yield return new("toolsCpuUs", Each(Tools.CpuSeconds() - before.Tools));
        yield return isOne ? new("programPeakMb", program.PeakMegabytes()) : new("programMb", program.Megabytes());
        if (database is not null) yield return new("postgresMb", database.Megabytes());
        yield return new("load", load);

        double Each(double seconds) => seconds * 1e6 / messages;
    }
}
