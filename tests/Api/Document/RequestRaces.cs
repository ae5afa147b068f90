using System.Text;

namespace MoxApi.Tests.Api.Document;

/// <summary>Makes groups of requests that meet at one thing, to be sent at once.</summary>
/// <param name="random">Says which.</param>
/// <param name="accounts">One after the other, so that requests that follow each other meet too.</param>
/// <param name="admin">An admin's key.</param>
internal sealed class RequestRaces(Random random, RaceAccount[] accounts, string admin)
{
    /// <summary>Groups for each account.</summary>
    public const int GroupsPerAccount = 48;

    private int made;

    /// <summary>Two to four requests.</summary>
    public FuzzedRequest[] Next()
    {
        var account = accounts[made++ / GroupsPerAccount % accounts.Length];
        var (lines, key) = Meeting(account);
        return [.. Enumerable.Range(0, random.Next(2, 5)).Select(_ => Request(account, lines[random.Next(lines.Length)], key))];
    }

    // As method, path and body; what stands twice comes twice as often, and deletions are rare, so that something is left for what follows.
    private (string[] Lines, string? IdempotencyKey) Meeting(RaceAccount account) => random.Next(9) switch
    {
        0 or 1 => (Message(account, account.Messages[random.Next(account.Messages.Length)]), null),
        2 => (Suppression($"jane{random.Next(3)}@example.net"), null),
        3 => (Webhook(account.Webhooks[random.Next(account.Webhooks.Length)]), null),
        4 => (Account(account), null),
        5 => (Domain(account), null),
        6 => (ApiKey(account), null),
        7 => (New($"new-{made}", account), null),
        _ => ([.. Enumerable.Repeat(Send("jane@example.org"), 4), Send("sam@example.org")], $"race-{made}"),
    };

    private string[] Message(RaceAccount account, string message) =>
    [
        $"POST {message}/cancel", $"POST {message}/cancel", Put(message, 1), Put(message, 2), Put(message, 3), $"GET {message}", $"GET {message}/events", "POST /v1/recipients/erase {\"address\": \"jane@example.org\"}",
        $"POST {account.Account}/suspend", $"POST {account.Account}/resume", $"POST {account.Account}/resume", $"POST {account.Domain}/suspend", $"POST {account.Domain}/resume", $"POST {account.Domain}/resume",
        .. Rarely($"DELETE {account.Domain}"),
    ];

    private static string[] Suppression(string address) =>
    [
        $$"""POST /v1/suppressions {"address": "{{address}}"}""", $$"""POST /v1/suppressions {"address": "{{address}}", "detail": "Asked"}""", $"DELETE /v1/suppressions/{address}", $"DELETE /v1/suppressions/{address}",
        $"GET /v1/suppressions/{address}", Send(address), $$"""POST /v1/recipients/erase {"address": "{{address}}"}""",
    ];

    private string[] Webhook(string webhook) =>
    [
        $$"""PATCH {{webhook}} {"url": "https://other.example/{{made}}"}""", $$"""PATCH {{webhook}} {"disabled": true}""", $$"""PATCH {{webhook}} {"disabled": false, "events": []}""", $"POST {webhook}/rotate-secret",
        $$"""POST {{webhook}}/replay {"since": "2026-11-22T00:00:00Z"}""", $"POST {webhook}/test", $"GET {webhook}", $"GET {webhook}/deliveries", Send("jane@example.org"), .. Rarely($"DELETE {webhook}"),
    ];

    private string[] Account(RaceAccount account) =>
    [
        $"POST {account.Account}/suspend", $"POST {account.Account}/resume", $"POST {account.Account}/resume", $$"""PATCH {{account.Account}} {"queueHours": 24}""", $$"""PATCH {{account.Account}} {"name": "{{account.Name}}-{{random.Next(2)}}"}""",
        $"GET {account.Account}", $$"""PATCH {{account.Address}} {"displayName": "Acme"}""", Send("jane@example.org"), Send("sam@example.org"), .. Rarely($"DELETE {account.Account}"), .. Rarely($"DELETE {account.Address}"),
    ];

    private string[] Domain(RaceAccount account) =>
    [
        $"POST {account.Domain}/suspend", $"POST {account.Domain}/resume", $"POST {account.Domain}/resume", $$"""PATCH {{account.Domain}} {"returnPathDomain": "returns.{{account.Name}}.example"}""", $"GET {account.Domain}",
        $"GET {account.Domain}/dkim-keys", $"POST {account.Domain}/dkim-keys/activate", Send("jane@example.org"), .. Rarely($"POST {account.Domain}/dkim-keys"), .. Rarely($"DELETE {account.Domain}"),
    ];

    private string[] ApiKey(RaceAccount account) =>
    [
        $$"""PATCH {{account.ApiKey}} {"scopes": ["send"]}""", $$"""PATCH {{account.ApiKey}} {"name": "till", "reset": ["expiresAt"]}""", $"GET {account.ApiKey}", .. Rarely($"DELETE {account.ApiKey}"), .. Rarely($"DELETE {account.Account}"),
    ];

    // Two cannot have the same name.
    private static string[] New(string name, RaceAccount account) =>
    [
        $$"""POST /v1/accounts {"name": "{{name}}"}""", $$"""POST {{account.Account}}/addresses {"address": "{{name}}@{{account.Name}}.example"}""", $$"""POST {{account.Account}}/addresses {"address": "{{name}}@{{account.Name}}.example"}""",
        $$"""POST /v1/accounts {"name": "{{name}}"}""",
    ];

    private static string Send(string to) => $$"""POST /v1/messages {"to": ["{{to}}"], "text": "Hello"}""";

    private static string Put(string message, int days) => $$"""PATCH {{message}} {"sendAt": "{{TimeProvider.System.GetUtcNow().AddDays(days):yyyy-MM-dd}}T10:00:00Z"}""";

    private string[] Rarely(string line) => random.Next(4) == 0 ? [line] : [];

    private FuzzedRequest Request(RaceAccount account, string line, string? idempotencyKey)
    {
        var parts = line.Split(' ', 3);
        var isAdmins = parts[1].StartsWith("/v1/accounts", StringComparison.Ordinal) || parts[1].StartsWith("/v1/domains", StringComparison.Ordinal) || parts[1].StartsWith("/v1/api-keys", StringComparison.Ordinal);
        var body = parts.Length == 3 ? Encoding.UTF8.GetBytes(parts[2]) : null;
        return new FuzzedRequest(parts[0], parts[1], "Bearer " + (isAdmins ? admin : account.Key), body, body is null ? null : "application/json", idempotencyKey);
    }
}
