namespace MoxApi.OpenApi.Lists;

/// <summary>A page of a list, newest first. It stays in step while new entries arrive.</summary>
public sealed record Page<T>
{
    /// <summary>The entries.</summary>
    public required IReadOnlyList<T> Data { get; init; }

    /// <summary>Whether more entries follow in the direction of the request.</summary>
    /// <example>true</example>
    public required bool HasMore { get; init; }

    /// <summary>The cursor for <c>after</c>: the entries that follow this page. Absent on an empty page.</summary>
    /// <example>b3JkZXItNDI</example>
    public string? Next { get; init; }

    /// <summary>The cursor for <c>before</c>: the entries ahead of this page. Absent on an empty page.</summary>
    /// <example>b3JkZXItNDM</example>
    public string? Previous { get; init; }

    /// <summary>How many entries the whole list has, counted up to 10,000. Present where <c>count=true</c> asked for it.</summary>
    /// <example>42</example>
    public int? Total { get; init; }

    /// <summary>Present and true where there are more than <c>total</c> tells, or may be: what two frequent filters have in common is not counted to the end.</summary>
    /// <example>true</example>
    public bool? TotalIsLowerBound { get; init; }
}
