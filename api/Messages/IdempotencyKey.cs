using MoxApi.Api.Json;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Messages;

/// <summary>The header field by which a client names a send, so that it can safely send it again.</summary>
internal static class IdempotencyKey
{
    public const string Header = "Idempotency-Key";
    private const int MaxLength = 255;

    /// <summary>Reads the key; null where there is none. What is wrong is added to <paramref name="faults"/>.</summary>
    public static string? Read(IHeaderDictionary headers, Faults faults)
    {
        if (!headers.TryGetValue(Header, out var values)) return null;
        if (values is [{ Length: > 0 and <= MaxLength } key] && key.All(c => c is >= ' ' and < '\x7f')) return key;
        faults.AddParameter(Header, FaultCodes.InvalidValue, values.Count > 1 ? "It is given once." : $"The key has 1 to {MaxLength} printable ASCII characters.");
        return null;
    }
}
