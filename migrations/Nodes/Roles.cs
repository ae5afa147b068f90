namespace MoxApi.Migrations.Nodes;

/// <summary>What a node may do. By default it does all.</summary>
public static class Roles
{
    /// <summary>The HTTP API and the pages.</summary>
    public const string Api = "api";

    /// <summary>Delivery to mail servers.</summary>
    public const string Delivery = "delivery";

    /// <summary>Posting of webhooks.</summary>
    public const string Webhooks = "webhooks";

    /// <summary>The listeners for mail.</summary>
    public const string Inbound = "inbound";

    /// <summary>Upgrading the schema.</summary>
    public const string Migrate = "migrate";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Api, Delivery, Webhooks, Inbound, Migrate];
}
