using System.Globalization;
using CsCheck;

namespace MoxApi.Tests;

/// <summary>
/// Properties over the same inputs in every run. CsCheck's own <c>Sample</c> takes its seed for the first input only, and a test should not
/// depend on luck.
/// </summary>
internal static class Seeded
{
    private const string Seed = "0000KOIPe1K4";

    /// <summary>Checks a number of generated inputs; a failure tells the input.</summary>
    public static async Task ForEachAsync<T>(this Gen<T> gen, int count, Func<T, Task> check)
    {
        var random = PCG.Parse(Seed);
        for (var n = 0; n < count; n++)
        {
            var input = gen.Generate(random, null, out _);
            try
            {
                await check(input);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"Input {n}, {Check.Print(input)}: {failure.Message}"), failure);
            }
        }
    }

    /// <summary>Checks a number of generated inputs; a failure tells the input.</summary>
    public static void ForEach<T>(this Gen<T> gen, int count, Action<T> check) => gen.ForEachAsync(count, input =>
    {
        check(input);
        return Task.CompletedTask;
    }).GetAwaiter().GetResult();
}
