namespace MoxApi.Bench;

/// <summary>How much is measured, and where.</summary>
internal sealed record BenchOptions
{
    /// <summary>How often each figure is taken; the report has their medians.</summary>
    public required int Rounds { get; init; }

    /// <summary>Whether this only shows that everything works: numbers are small and figures mean nothing.</summary>
    public required bool Quick { get; init; }

    /// <summary>Messages for each figure, in place of each scenario's own number.</summary>
    public int? Messages { get; init; }

    /// <summary>Whether Postfix is measured beside the program.</summary>
    public bool ComparePostfix { get; init; }

    /// <summary>Where the data folder is made: on the disk that is to be measured.</summary>
    public string Folder { get; init; } = "/var/tmp";

    /// <summary>How long a soak lasts.</summary>
    public TimeSpan Soak { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a snapshot is held.</summary>
    public TimeSpan Snapshot { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Messages a second of a soak; half of what was measured where absent.</summary>
    public double? Rate { get; init; }

    /// <summary>Settings of the program, such as <c>Delivery__MaxConnections</c>, besides those that the benchmark needs.</summary>
    public IReadOnlyList<(string Name, string Value)> Settings { get; init; } = [];

    /// <summary>Connections at once that messages are posted on, where nothing else is said.</summary>
    public int Connections => Quick ? 4 : 32;

    /// <summary>The numbers of connections that are compared.</summary>
    public int[] ConnectionSteps => Quick ? [1, 2, 4] : [1, 8, 32];

    /// <summary>The numbers of destination domains that are compared.</summary>
    public int[] DomainSteps => Quick ? [1, 5, 20] : [1, 50, 1000];

    /// <summary>The most domains of any scenario.</summary>
    public int Domains => DomainSteps[^1];

    /// <summary>How many messages a figure takes.</summary>
    public int Count(int usual, int quick) => Messages ?? (Quick ? quick : usual);
}
