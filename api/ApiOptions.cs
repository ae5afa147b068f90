using System.ComponentModel.DataAnnotations;

namespace MoxApi.Api;

/// <summary>The section <c>Api</c> of the configuration: the HTTP API.</summary>
internal sealed class ApiOptions
{
    /// <summary>Requests that an account may make in a second, over time; 0 for any number.</summary>
    [Range(0, 1_000_000)]
    public int RequestsPerSecond { get; set; } = 1000;

    /// <summary>Requests that an account may make at once after a rest.</summary>
    [Range(1, 10_000_000)]
    public int Burst { get; set; } = 5000;

    /// <summary>Requests of an account that may run at once; 0 for any number.</summary>
    [Range(0, 1_000_000)]
    public int MaxConcurrentRequests { get; set; } = 500;

    /// <summary>Open connections to the HTTP listeners; further ones get 503 and are closed, or only closed where they are more than a tenth of these.</summary>
    [Range(1, 1_000_000)]
    public int MaxConnections { get; set; } = 10_000;

    /// <summary>Where files of requests in flight go that are too large for memory; null is the system's folder for temporary files.</summary>
    public string? SpoolFolder { get; set; }

    /// <summary>Whether webhooks may have an address without TLS, as in the local sandbox.</summary>
    internal bool AllowHttpWebhooks { get; set; }
}
