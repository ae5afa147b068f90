using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>Tests that run the program as processes: one after the other, when the rest of the tests is done.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public class ProcessCollection
{
    public const string Name = "processes";
}
