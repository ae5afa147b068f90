namespace MoxApi.OpenApi.Errors;

/// <summary>Why a request was refused (RFC 9457).</summary>
public sealed record Problem
{
    /// <summary>Always <c>about:blank</c>: <c>code</c> tells problems apart.</summary>
    /// <example>about:blank</example>
    public string Type { get; init; } = "about:blank";

    /// <summary>What is wrong, for people.</summary>
    /// <example>The request has 1 fault.</example>
    public required string Title { get; init; }

    /// <summary>The HTTP status.</summary>
    /// <example>422</example>
    public required int Status { get; init; }

    /// <summary>What is wrong, for programs. Codes do not change; more may be added.</summary>
    /// <example>invalid_request</example>
    public required string Code { get; init; }

    /// <summary>The request, to name it to the operator.</summary>
    /// <example>0HNH2B7Q6QK3D:00000001</example>
    public required string RequestId { get; init; }

    /// <summary>In a result of a batch, where there is no header field Retry-After: the seconds after which the message may be sent again. Absent elsewhere.</summary>
    /// <example>10</example>
    public int? RetryAfter { get; init; }

    /// <summary>Each fault of the request; absent where the problem is not in its contents.</summary>
    public IReadOnlyList<Fault>? Errors { get; init; }
}

/// <summary>One fault of a request.</summary>
public sealed record Fault
{
    /// <summary>The faulty value in the body, as a JSON pointer (RFC 6901); the empty string is the whole body. Absent for a parameter.</summary>
    /// <example>/to/0</example>
    public string? Pointer { get; init; }

    /// <summary>The faulty parameter of the query or path, or header field. Absent for a value in the body.</summary>
    /// <example>limit</example>
    public string? Parameter { get; init; }

    /// <summary>What is wrong, for programs.</summary>
    /// <example>invalid_address</example>
    public required string Code { get; init; }

    /// <summary>What is wrong, for people.</summary>
    /// <example>An address needs a domain after the @.</example>
    public required string Detail { get; init; }
}
