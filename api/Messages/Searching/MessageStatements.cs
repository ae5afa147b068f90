using System.Text;
using MoxApi.Api.Messages;

namespace MoxApi.Api.Messages.Searching;

/// <summary>The statements of <see cref="MessageSearch"/>. Each gives places: the time of acceptance, and the id.</summary>
internal static class MessageStatements
{
    /// <summary>The first matches among a number of candidates in order of time.</summary>
    public static Statement Walk(SearchScope scope, int candidates, int wanted)
    {
        var s = new Statement();
        // The limit within keeps the planner from going another way. Recipients say nothing of words.
        s.Text = $"""
            SELECT c.accepted_at, c.id FROM ({Candidates(scope, s)} {Order(scope, "")} LIMIT {candidates}) c
            {(scope is { HasRecipients: true, HasWords: true } ? "JOIN message m ON m.id = c.id" : "")}
            WHERE {(scope.HasRecipients ? "true" : "c.direction = 0")}{Words(scope, s, scope.HasRecipients ? "m" : "c")}
              {(scope is { Filter: { Recipient: not null, Status: not null } } ? Recipients(scope, s, "c") : "")}
            {Order(scope, "c.")} LIMIT {wanted}
            """;
        return s;
    }

    /// <summary>The place of the last of a number of candidates; none where there are fewer.</summary>
    public static Statement End(SearchScope scope, int candidates)
    {
        var s = new Statement();
        s.Text = $"SELECT accepted_at, id FROM ({Candidates(scope, s)}) c {Order(scope, "")} OFFSET {candidates - 1} LIMIT 1";
        return s;
    }

    /// <summary>
    /// The first matches among what the index over words has, or both indexes over recipients, up to a cap; in a third column, how many were fetched.
    /// Being materialized, they are looked up without regard to the order or the limit, and fetched only as far as the cap.
    /// </summary>
    public static Statement Search(SearchScope scope, int cap, int wanted)
    {
        var s = new Statement();
        var hits = scope.HasWords
            ? $"SELECT m.accepted_at, m.id FROM message m WHERE m.account_id = {s.Value(scope.Account)} AND m.direction = 0{Words(scope, s, "m")}{Period(scope, s, "m.accepted_at", "m.id")}"
            : $"SELECT DISTINCT r.accepted_at, r.message_id AS id FROM recipient r WHERE r.account_id = {s.Value(scope.Account)}{OfRecipient(scope, s, "r")}{Period(scope, s, "r.accepted_at", "r.message_id")}";
        s.Text = $"""
            WITH hits AS MATERIALIZED ({hits}), few AS MATERIALIZED (SELECT * FROM hits LIMIT {cap + 1})
            SELECT c.accepted_at, c.id, n.hits FROM (SELECT count(*) AS hits FROM few) n
            LEFT JOIN LATERAL (SELECT f.accepted_at, f.id FROM few f WHERE true{(scope is { HasWords: true, HasRecipients: true } ? Recipients(scope, s, "f") : "")} {Order(scope, "f.")} LIMIT {wanted}) c ON true
            {Order(scope, "c.")}
            """;
        return s;
    }

    /// <summary>The first matches among what workers have in hand.</summary>
    public static Statement InHand(SearchScope scope, int wanted)
    {
        var s = new Statement();
        s.Text = $"SELECT accepted_at, id FROM ({InHand(scope, s)}) c {Order(scope, "")} LIMIT {wanted}";
        return s;
    }

    /// <summary>The number of matches, up to a cap.</summary>
    public static Statement Count(SearchScope scope, int cap)
    {
        var s = new Statement();
        // Distinct in the order of the index, so that no more of it is read than the cap asks for.
        var matches = scope switch
        {
            { IsInHand: true } => InHand(scope, s),
            { HasRecipients: true } => $"""
                SELECT DISTINCT r.accepted_at, r.message_id FROM recipient r {(scope.HasWords ? "JOIN message m ON m.id = r.message_id" : "")}
                WHERE r.account_id = {s.Value(scope.Account)}{OfRecipient(scope, s, "r")}{Words(scope, s, "m")}{Period(scope, s, "r.accepted_at", "r.message_id")}
                ORDER BY r.accepted_at DESC, r.message_id DESC
                """,
            _ => $"SELECT 1 FROM message m WHERE m.account_id = {s.Value(scope.Account)} AND m.direction = 0{Words(scope, s, "m")}{Period(scope, s, "m.accepted_at", "m.id")}",
        };
        s.Text = $"SELECT count(*) FROM ({matches} LIMIT {cap}) c";
        return s;
    }

    private static string Candidates(SearchScope scope, Statement s)
    {
        if (!scope.HasRecipients)
            return $"SELECT m.accepted_at, m.id, m.direction, m.tags, m.subject FROM message m WHERE m.account_id = {s.Value(scope.Account)}{(scope.HasWords ? "" : " AND m.direction = 0")}{Period(scope, s, "m.accepted_at", "m.id")}";
        var index = scope.Filter.Recipient is { } recipient ? $"r.base_address = {s.Value(recipient)}" : $"r.status = {s.Value(Status(scope))}";
        return $"SELECT DISTINCT r.accepted_at, r.message_id AS id FROM recipient r WHERE r.account_id = {s.Value(scope.Account)} AND {index}{Period(scope, s, "r.accepted_at", "r.message_id")}";
    }

    private static string InHand(SearchScope scope, Statement s) => $"""
        SELECT DISTINCT r.accepted_at, r.message_id AS id FROM queue q JOIN recipient r ON r.id = q.recipient_id {(scope.HasWords ? "JOIN message m ON m.id = r.message_id" : "")}
        WHERE q.session_id IS NOT NULL AND r.account_id = {s.Value(scope.Account)}{OfRecipient(scope, s, "r")}{Words(scope, s, "m")}{Period(scope, s, "r.accepted_at", "r.message_id")}
        """;

    private static string Recipients(SearchScope scope, Statement s, string of) =>
        $" AND EXISTS (SELECT 1 FROM recipient r WHERE r.message_id = {of}.id{OfRecipient(scope, s, "r")})";

    private static string OfRecipient(SearchScope scope, Statement s, string r) =>
        (scope.Filter.Recipient is { } recipient ? $" AND {r}.base_address = {s.Value(recipient)}" : "")
        + (scope is { IsInHand: false, Filter.Status: not null } ? $" AND {r}.status = {s.Value(Status(scope))}" : "");

    private static short Status(SearchScope scope) => (short)Wire.Stored(scope.Filter.Status!.Value);

    private static string Words(SearchScope scope, Statement s, string m) =>
        (scope.Filter.Tag is { } tag ? $" AND {m}.tags @> {s.Value(new[] { tag })}" : "")
        + (scope.Filter.Subject is { } subject ? $" AND {m}.subject ILIKE {s.Value(Pattern(subject))}" : "");

    private static string Period(SearchScope scope, Statement s, string at, string id) =>
        (scope.From is { } place ? $" AND ({at}, {id}) {(scope.Backward ? '>' : '<')} ({s.Value(place.At)}, {s.Value(place.Id)})" : "")
        + (scope.Filter.From is { } from ? $" AND {at} >= {s.Value(from)}" : "")
        + (scope.Filter.To is { } to ? $" AND {at} < {s.Value(to)}" : "");

    private static string Order(SearchScope scope, string of) => scope.Backward ? $"ORDER BY {of}accepted_at, {of}id" : $"ORDER BY {of}accepted_at DESC, {of}id DESC";

    // What has a meaning in a pattern stands for itself.
    private static string Pattern(string part)
    {
        var pattern = new StringBuilder("%", part.Length + 8);
        foreach (var c in part)
        {
            if (c is '%' or '_' or '\\') pattern.Append('\\');
            pattern.Append(c);
        }
        return pattern.Append('%').ToString();
    }
}
