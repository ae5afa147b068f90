using MoxApi.Tests.Hosting;
using MoxApi.Tests.Scenarios;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace MoxApi.Tests.Hosting;

/// <summary>Begins with the one test that takes minutes: begun last, it would run alone while the other processors have nothing to do.</summary>
internal sealed class LongestFirst : ITestCollectionOrderer
{
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. DefaultTestCollectionOrderer.Instance.OrderTestCollections(testCollections)
            .OrderByDescending(collection => collection.TestCollectionDisplayName.Contains(nameof(TwoNodesKilledTests), StringComparison.Ordinal))];
}
