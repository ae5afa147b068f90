namespace MoxApi.OpenApi.Access;

/// <summary>What an API key may do.</summary>
public static class Scopes
{
    /// <summary>Send messages.</summary>
    public const string Send = "send";

    /// <summary>Read messages, sent and received, and their events; the account, its addresses and domains.</summary>
    public const string Read = "read";

    /// <summary>Read and change webhooks.</summary>
    public const string Webhooks = "webhooks";

    /// <summary>Read and change the suppression list; erase a recipient's data.</summary>
    public const string Suppressions = "suppressions";

    /// <summary>Everything, in the whole installation.</summary>
    public const string Admin = "admin";

    /// <summary>All scopes.</summary>
    public static IReadOnlyList<string> All { get; } = [Send, Read, Webhooks, Suppressions, Admin];
}
