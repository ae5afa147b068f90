using System.Runtime.CompilerServices;

namespace MoxApi.Tests.Hosting;

/// <summary>
/// What the processes of tests inherit: they live for seconds, so to compile what is used often a second time, and to count it first, is most of
/// what they would do.
/// </summary>
internal static class ShortLives
{
    [ModuleInitializer]
    internal static void Prepare()
    {
        Environment.SetEnvironmentVariable("DOTNET_TieredPGO", "0");
        Environment.SetEnvironmentVariable("DOTNET_TC_CallCounting", "0");
    }
}
