using System.Text;

namespace MoxApi.Api.Messages.Searching;

/// <summary>The statements of <see cref="MessageSearch"/>. Places are the time of acceptance, and the id.</summary>
internal static class MessageStatements
{
    /// <summary>The first matches among a number of candidates in order of time.</summary>
    public static Statement Walk(SearchScope scope, int candidates, int wanted)
    {
        var s = new Statement();
        s.Text = $"SELECT c.accepted_at, c.id {Examined(scope, s, candidates)} {Order(scope, "c.")} LIMIT {wanted}";
        return s;
    }

    /// <summary>The number of matches among a number of candidates.</summary>
    public static Statement CountWalk(SearchScope scope, int candidates)
    {
        var s = new Statement();
        s.Text = $"SELECT count(*) {Examined(scope, s, candidates)}";
        return s;
    }

    /// <summary>The place of the last of a number of candidates; none where there are fewer.</summary>
    public static Statement End(SearchScope scope, int candidates)
    {
        var s = new Statement();
        s.Text = $"SELECT c.accepted_at, c.id FROM ({Candidates(scope, s)} {Order(scope, "")}) c OFFSET {candidates - 1} LIMIT 1";
        return s;
    }

    /// <summary>
    /// The first matches among what the other index has, up to a cap; in a third column, how many were fetched. That is the index over words or,
    /// where there are none, the one over states beside the one over addresses.
    /// </summary>
    public static Statement Search(SearchScope scope, int cap, int wanted)
    {
        var s = new Statement();
        s.Text = $"""
            {Hits(scope, s, cap)}
            SELECT c.accepted_at, c.id, n.hits FROM (SELECT count(*) AS hits FROM few) n
            LEFT JOIN LATERAL (SELECT DISTINCT f.accepted_at, f.id FROM few f WHERE {OfHit(scope, s)} {Order(scope, "")} LIMIT {wanted}) c ON true
            {Order(scope, "c.")}
            """;
        return s;
    }

    /// <summary>The number of matches among what <see cref="Search"/> fetches, and how many were fetched.</summary>
    public static Statement CountSearch(SearchScope scope, int cap)
    {
        var s = new Statement();
        s.Text = $"{Hits(scope, s, cap)} SELECT count(DISTINCT f.id) FILTER (WHERE {OfHit(scope, s)}), count(*) FROM few f";
        return s;
    }

    /// <summary>The first matches among what workers have in hand.</summary>
    public static Statement InHand(SearchScope scope, int wanted)
    {
        var s = new Statement();
        s.Text = $"SELECT c.accepted_at, c.id FROM ({InHand(scope, s)}) c {Order(scope, "c.")} LIMIT {wanted}";
        return s;
    }

    /// <summary>The number of matches among what workers have in hand, up to a cap.</summary>
    public static Statement CountInHand(SearchScope scope, int cap)
    {
        var s = new Statement();
        s.Text = $"SELECT count(*) FROM ({InHand(scope, s)} LIMIT {cap}) c";
        return s;
    }

    // The limit within keeps the planner from going another way. Recipients say nothing of words.
    private static string Examined(SearchScope scope, Statement s, int candidates) => $"""
        FROM ({Candidates(scope, s)} {Order(scope, "")} LIMIT {candidates}) c {(scope is { HasRecipients: true, HasWords: true } ? "JOIN message m ON m.id = c.id" : "")}
        WHERE c.fits{Words(scope, s, scope.HasRecipients ? "m" : "c")}
        """;

    // Grouped in the order of the index, which ends with the limit. With an address, the state is read from its rows.
    private static string Candidates(SearchScope scope, Statement s)
    {
        if (!scope.HasRecipients)
        {
            return $"SELECT m.accepted_at, m.id, m.tags, m.subject, true AS fits FROM message m WHERE m.account_id = {s.Value(scope.Account)} AND m.direction = 0{Period(scope, s, "m.accepted_at", "m.id")}";
        }
        var (index, fits) = scope.Filter.Recipient is { } recipient
            ? ($"r.base_address = {s.Value(recipient)}", scope.Filter.Status is null ? "true" : $"bool_or(r.status = {s.Value(Status(scope))})")
            : ($"r.status = {s.Value(Status(scope))}", "true");
        return $"""
            SELECT r.accepted_at, r.message_id AS id, {fits} AS fits FROM recipient r
            WHERE r.account_id = {s.Value(scope.Account)} AND {index}{Period(scope, s, "r.accepted_at", "r.message_id")} GROUP BY r.accepted_at, r.message_id
            """;
    }

    // Being materialized, words are looked up without regard to order or limit, and their messages fetched only as far as the cap.
    private static string Hits(SearchScope scope, Statement s, int cap)
    {
        var hits = scope.HasWords
            ? $"SELECT m.accepted_at, m.id FROM message m WHERE m.account_id = {s.Value(scope.Account)} AND m.direction = 0{Words(scope, s, "m")}{Period(scope, s, "m.accepted_at", "m.id")}"
            : $"""
                SELECT r.accepted_at, r.message_id AS id, r.base_address FROM recipient r
                WHERE r.account_id = {s.Value(scope.Account)} AND r.status = {s.Value(Status(scope))}{Period(scope, s, "r.accepted_at", "r.message_id")} {Order(scope, "")} LIMIT {cap + 1}
                """;
        return $"WITH hits AS MATERIALIZED ({hits}), few AS MATERIALIZED (SELECT * FROM hits LIMIT {cap + 1})";
    }

    private static string OfHit(SearchScope scope, Statement s) => scope switch
    {
        { HasWords: false } => $"f.base_address = {s.Value(scope.Filter.Recipient!)}",
        { HasRecipients: true } => $"EXISTS (SELECT 1 FROM recipient r WHERE r.message_id = f.id{OfRecipient(scope, s)})",
        _ => "true",
    };

    private static string InHand(SearchScope scope, Statement s) => $"""
        SELECT DISTINCT r.accepted_at, r.message_id AS id FROM queue q JOIN recipient r ON r.id = q.recipient_id {(scope.HasWords ? "JOIN message m ON m.id = r.message_id" : "")}
        WHERE q.session_id IS NOT NULL AND r.account_id = {s.Value(scope.Account)}{OfRecipient(scope, s)}{Words(scope, s, "m")}{Period(scope, s, "r.accepted_at", "r.message_id")}
        """;

    private static string OfRecipient(SearchScope scope, Statement s) =>
        (scope.Filter.Recipient is { } recipient ? $" AND r.base_address = {s.Value(recipient)}" : "")
        + (scope is { IsInHand: false, Filter.Status: not null } ? $" AND r.status = {s.Value(Status(scope))}" : "");

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
