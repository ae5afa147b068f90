namespace MoxApi.Api;

/// <summary>Settings of the HTTP API.</summary>
internal sealed class ApiOptions
{
    /// <summary>Where files of requests in flight go that are too large for memory.</summary>
    public string SpoolFolder { get; set; } = Path.GetTempPath();

    /// <summary>Whether webhooks may have an address without TLS, as in the local sandbox.</summary>
    public bool AllowHttpWebhooks { get; set; }
}
