using System.CommandLine;
using System.CommandLine.Help;
using MoxApi.Api.Commands;
using MoxApi.Bench.Scenarios;

namespace MoxApi.Bench;

/// <summary>The command line: a command per scenario, and <c>all</c>.</summary>
internal static class BenchCommand
{
    private static readonly (string Name, string Description, Func<BenchSite, CancellationToken, Task> Run)[] Scenarios =
    [
        ("limits", "What the machine can do at most: disk, commits, signatures, SMTP and HTTP on loopback.", LimitsBench.RunAsync),
        ("accept", "Messages accepted per second and how long each took, with delivery paused; also in batches.", AcceptBench.RunAsync),
        ("deliver", "Messages per second from the first POST to the last arrival, for one destination domain and for many.", DeliverBench.RunAsync),
        ("large", "Messages of 100 KB, and attachments of 25 MB.", LargeBench.RunAsync),
        ("webhooks", "Webhooks per second to an endpoint that is fast, to one that is slow, and beside one that is dead.", WebhooksBench.RunAsync),
        ("latency", "From one POST on an idle service to its arrival, and to its webhook.", LatencyBench.RunAsync),
        ("rest", "What the program takes while it has nothing to do.", RestBench.RunAsync),
        ("backlog", "Delivery and lists with a million other messages in the queue (--messages).", BacklogBench.RunAsync),
        ("soak", "Minutes at an even rate, with a history of two: latency, memory and tables over time.", SoakBench.RunAsync),
        ("snapshot", "Ten minutes at an even rate while somebody holds a snapshot, as a backup does.", SoakBench.RunBesideSnapshotAsync),
    ];

    private static readonly Option<int?> Rounds = new("--rounds") { Description = "How often each figure is taken; 3 by default.", Recursive = true };
    private static readonly Option<bool> Quick = new("--quick") { Description = "Small numbers, one round: shows in seconds that all of it works. The figures mean nothing.", Recursive = true };
    private static readonly Option<int?> Messages = new("--messages") { Description = "Messages for each figure; in backlog, the messages that wait.", Recursive = true };
    private static readonly Option<string?> Json = new("--json") { Description = "Writes every round's figures as JSON to this file; - is standard output, in place of the tables.", Recursive = true };
    private static readonly Option<string?> Compare = new("--compare") { Description = "Measures \"postfix\" too, in turn, as a relay of the same messages to the same server. Needs root.", Recursive = true };
    private static readonly Option<string> Folder = new("--folder") { Description = "Where the data folder is made, and deleted at the end.", DefaultValueFactory = _ => "/var/tmp", Recursive = true };
    private static readonly Option<double?> Minutes = new("--minutes") { Description = "How long the soak lasts, 5 by default, and the snapshot is held, 10 by default.", Recursive = true };
    private static readonly Option<double?> Rate = new("--rate") { Description = "Messages a second of soak and snapshot; half of what is measured before it by default.", Recursive = true };
    private static readonly Option<string[]> Set = new("--set") { Description = "A setting of the program, as in --set Delivery__MaxConnections=100.", Recursive = true };

    /// <summary>The root command.</summary>
    public static Command Create()
    {
        var root = new Command("bench", "Measures MoxApi on this machine, on loopback. It exits with 1 if a message was lost or doubled, or the books do not balance.")
        {
            Rounds, Quick, Messages, Json, Compare, Folder, Minutes, Rate, Set, new HelpOption(),
        };
        Compare.AcceptOnlyFromAmong("postfix");
        foreach (var (name, description, run) in Scenarios) root.Add(Command(name, description, [run]));
        root.Add(Command("all", "Everything, one after the other.", [.. Scenarios.Select(scenario => scenario.Run)]));
        return root;
    }

    private static Command Command(string name, string description, Func<BenchSite, CancellationToken, Task>[] scenarios)
    {
        var command = new Command(name, description);
        command.SetAction((parsed, _) => CommandLine.GuardAsync(stop => BenchRun.RunAsync(Read(parsed), parsed.GetValue(Json), scenarios, stop)));
        return command;
    }

    private static BenchOptions Read(ParseResult parsed)
    {
        var quick = parsed.GetValue(Quick);
        return new BenchOptions
        {
            Quick = quick,
            Rounds = InRange(parsed.GetValue(Rounds), Rounds, 1, 100) ?? (quick ? 1 : 3),
            Messages = InRange(parsed.GetValue(Messages), Messages, 1, 10_000_000),
            ComparePostfix = parsed.GetValue(Compare) is not null,
            Folder = Path.GetFullPath(parsed.GetValue(Folder)!),
            Soak = Length(parsed, quick, 5),
            Snapshot = Length(parsed, quick, 10),
            Rate = parsed.GetValue(Rate) is { } rate ? InRange(rate, Rate, 0.1, 100_000) : null,
            Settings = [.. (parsed.GetValue(Set) ?? []).Select(Setting)],
        };
    }

    private static TimeSpan Length(ParseResult parsed, bool quick, int usual) =>
        parsed.GetValue(Minutes) is { } minutes ? TimeSpan.FromMinutes(InRange(minutes, Minutes, 0.01, 10_000)) : quick ? TimeSpan.FromSeconds(2) : TimeSpan.FromMinutes(usual);

    private static int? InRange(int? value, Option option, int least, int most) => value is { } given ? (int)InRange((double)given, option, least, most) : null;

    private static double InRange(double value, Option option, double least, double most) =>
        value >= least && value <= most ? value : throw new CommandException($"{option.Name} takes {least} to {most}.");

    private static (string Name, string Value) Setting(string text) => text.Split('=', 2) is [{ Length: > 0 } name, var value]
        ? (name, value)
        : throw new CommandException($"--set takes NAME=VALUE, not \"{text}\".");
}
