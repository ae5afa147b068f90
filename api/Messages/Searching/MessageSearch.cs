using MoxApi.Api.Lists;
using Npgsql;

namespace MoxApi.Api.Messages.Searching;

/// <summary>What a search found.</summary>
/// <param name="Places">The messages, nearest to where the search began first.</param>
/// <param name="End">How far the search looked, where it gave up before the end of the list: the next one begins there.</param>
internal sealed record FoundMessages(IReadOnlyList<Place> Places, Place? End);

/// <summary>How far a search looks for a page.</summary>
/// <param name="FirstWalk">Candidates looked at before the index over words is asked: some 10 ms.</param>
/// <param name="Words">Messages fetched by the index over words: some 30 ms.</param>
/// <param name="SecondWalk">Candidates looked at after it: some 100 ms.</param>
internal sealed record SearchLimits(int FirstWalk = 2_000, int Words = 5_000, int SecondWalk = 20_000);

/// <summary>
/// Finds an account's messages by a filter, newest first, without looking at more of them than a page is worth.
/// <para>
/// No plan is right for every word. The index over time finds a frequent word at once, and walks a million messages for a rare one; the index over words
/// finds a rare one at once, and fetches and sorts a hundred thousand messages for a frequent one. What PostgreSQL knows of a word's frequency is a
/// guess, and nothing of when it was frequent, so it is not left to choose. In this order:
/// </para>
/// <list type="number">
/// <item>Walk the newest <see cref="SearchLimits.FirstWalk"/> candidates in order of time. A frequent word fills the page here.</item>
/// <item>Ask the index over words, up to <see cref="SearchLimits.Words"/> messages. A rare word's messages are all here.</item>
/// <item>A word that is in many messages but not in the newest: walk <see cref="SearchLimits.SecondWalk"/> candidates further, and end the page there. It may then
/// have fewer entries than asked for, and the next page goes on.</item>
/// </list>
/// <para>
/// Candidates are the messages of the recipient that is asked for, else of the status, else all: <c>ix_recipient_address</c> and <c>ix_recipient_status</c> are in
/// order of time within the account. Alone, these need no cap.
/// </para>
/// </summary>
/// <param name="database">Where they are.</param>
/// <param name="limits">How far to look.</param>
internal sealed class MessageSearch(NpgsqlDataSource database, SearchLimits limits)
{
    /// <summary>Matches are counted up to here.</summary>
    public const int CountCap = 10_000;

    /// <summary>Finds messages.</summary>
    /// <param name="account">Whose.</param>
    /// <param name="filter">Which.</param>
    /// <param name="from">Where to begin; null for the beginning of the list.</param>
    /// <param name="backward">Whether towards newer messages.</param>
    /// <param name="wanted">The most to find.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<FoundMessages> FindAsync(long account, MessageFilter filter, Place? from, bool backward, int wanted, CancellationToken cancel)
    {
        await using var reading = await Reading.BeginAsync(database, cancel);
        var scope = new SearchScope(account, filter, from, backward);
        if (scope.IsInHand) return new(await reading.PlacesAsync(MessageStatements.InHand(scope, wanted)), null);
        if (scope.IsOneIndex) return new(await reading.PlacesAsync(MessageStatements.Walk(scope, wanted, wanted)), null);

        var found = await reading.PlacesAsync(MessageStatements.Walk(scope, limits.FirstWalk, wanted));
        if (found.Count == wanted || await reading.PlaceAsync(MessageStatements.End(scope, limits.FirstWalk)) is not { } end) return new(found, null);

        scope = scope with { From = end };
        var (rest, whole) = await reading.CappedPlacesAsync(MessageStatements.Search(scope, limits.Words, wanted - found.Count), limits.Words);
        if (whole) return new([.. found, .. rest], null);

        rest = await reading.PlacesAsync(MessageStatements.Walk(scope, limits.SecondWalk, wanted - found.Count));
        found.AddRange(rest);
        return new(found, found.Count == wanted ? null : await reading.PlaceAsync(MessageStatements.End(scope, limits.SecondWalk)));
    }

    /// <summary>Counts what a filter matches, up to one more than <see cref="CountCap"/>.</summary>
    public async Task<int> CountAsync(long account, MessageFilter filter, CancellationToken cancel)
    {
        await using var reading = await Reading.BeginAsync(database, cancel);
        return (int)await reading.NumberAsync(MessageStatements.Count(new SearchScope(account, filter, null, false), CountCap + 1));
    }

    /// <summary>A transaction in which every statement is planned for its own values: a plan for any word would be a wrong one for most.</summary>
    private sealed class Reading(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancel) : IAsyncDisposable
    {
        public static async Task<Reading> BeginAsync(NpgsqlDataSource database, CancellationToken cancel)
        {
            var connection = await database.OpenConnectionAsync(cancel);
            try
            {
                var transaction = await connection.BeginTransactionAsync(cancel);
                await using var plans = new NpgsqlCommand("SET LOCAL plan_cache_mode = force_custom_plan", connection);
                await plans.ExecuteNonQueryAsync(cancel);
                return new Reading(connection, transaction, cancel);
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }
        }

        public async Task<List<Place>> PlacesAsync(Statement statement) => (await ReadAsync(statement, 0)).Places;

        public async Task<Place?> PlaceAsync(Statement statement) => (await PlacesAsync(statement)) is [var place] ? place : null;

        /// <summary>The places, and whether there are no more than the cap let through.</summary>
        public async Task<(List<Place> Places, bool Whole)> CappedPlacesAsync(Statement statement, int cap)
        {
            var (places, hits) = await ReadAsync(statement, 2);
            return (places, hits <= cap);
        }

        public async Task<long> NumberAsync(Statement statement)
        {
            await using var command = statement.On(connection);
            return (long)(await command.ExecuteScalarAsync(cancel))!;
        }

        public async ValueTask DisposeAsync()
        {
            await transaction.DisposeAsync();
            await connection.DisposeAsync();
        }

        // A row without a place only tells the hits, which are in another column.
        private async Task<(List<Place> Places, long Hits)> ReadAsync(Statement statement, int hitsColumn)
        {
            await using var command = statement.On(connection);
            await using var reader = await command.ExecuteReaderAsync(cancel);
            var places = new List<Place>();
            var hits = 0L;
            while (await reader.ReadAsync(cancel))
            {
                if (hitsColumn > 0) hits = reader.GetInt64(hitsColumn);
                if (!await reader.IsDBNullAsync(0, cancel)) places.Add(new Place(reader.GetFieldValue<DateTimeOffset>(0), reader.GetInt64(1)));
            }
            return (places, hits);
        }
    }
}
