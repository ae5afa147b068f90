using System.Text.Json;
using MoxApi.OpenApi;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Json;

/// <summary>
/// The list <c>reset</c> of a change: the names of fields that are to be taken back to their default. A value of null would say the same, but in this
/// API what is absent is left out, and what is left out of a change stays.
/// </summary>
internal static class ResetRules
{
    /// <summary>Names what cannot be reset, and what is given a value as well.</summary>
    /// <param name="reset">The list.</param>
    /// <param name="known">The fields that can be reset.</param>
    /// <param name="request">The request it is part of.</param>
    /// <param name="faults">To add to.</param>
    public static void Check<T>(IReadOnlyList<string>? reset, string[] known, T request, Faults faults)
        where T : class
    {
        var given = JsonSerializer.SerializeToElement(request, WireJson.Options);
        for (var i = 0; i < reset?.Count; i++)
        {
            var pointer = JsonPointer.Item("/reset", i);
            if (!known.Contains(reset[i])) faults.Add(pointer, FaultCodes.InvalidValue, $"What can be reset are {string.Join(", ", known)}.");
            else if (given.TryGetProperty(reset[i], out _)) faults.Add(pointer, FaultCodes.InvalidValue, $"The field \"{reset[i]}\" is given a value as well.");
        }
    }
}
