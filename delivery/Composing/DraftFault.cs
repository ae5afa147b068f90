namespace MoxApi.Delivery.Composing;

/// <summary>What is wrong with a draft, and where.</summary>
/// <param name="Pointer">A JSON Pointer (RFC 6901) into the request of the public API, such as <c>/headers/0/value</c>.</param>
/// <param name="Detail">A sentence for people.</param>
public sealed record DraftFault(string Pointer, string Detail);

/// <summary>A draft that cannot be composed. It is checked before anything is written.</summary>
public sealed class DraftException(IReadOnlyList<DraftFault> faults)
    : Exception(string.Join(' ', faults.Select(each => $"{each.Pointer}: {each.Detail}")))
{
    /// <summary>All that is wrong.</summary>
    public IReadOnlyList<DraftFault> Faults { get; } = faults;
}
