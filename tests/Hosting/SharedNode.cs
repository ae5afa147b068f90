using Xunit;

namespace MoxApi.Tests.Hosting;

/// <summary>An installation with one node, for those tests of a class that do not mind each other: to start it is most of what they would do.</summary>
/// <param name="postgres">Has its database.</param>
/// <param name="settings">The node's own.</param>
public abstract class SharedNode(TestPostgres postgres, params (string Name, string Value)[] settings) : IAsyncLifetime
{
    internal Installation Installation { get; private set; } = null!;

    internal MoxApiProcess Process { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Installation = await Installation.CreateAsync(postgres);
        Process = await Installation.StartNodeAsync("a", settings);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Process.DisposeAsync();
        await Installation.DisposeAsync();
    }
}
