using System.Data;
using MoxApi.Api.Lists;
using Npgsql;

namespace MoxApi.Api.Messages.Searching;

/// <summary>What a search found.</summary>
/// <param name="Places">The messages, nearest to where the search began first.</param>
/// <param name="End">How far the search looked, where it gave up before the end of the list: the next one begins there.</param>
internal sealed record FoundMessages(IReadOnlyList<Place> Places, Place? End);

/// <summary>How far a search looks for a page.</summary>
/// <param name="FirstWalk">Candidates looked at before another index is asked: some 10 ms.</param>
/// <param name="Hits">What is fetched by that index: some 50 ms.</param>
/// <param name="SecondWalk">Candidates looked at after it: some 100 ms.</param>
internal sealed record SearchLimits(int FirstWalk = 1_000, int Hits = 5_000, int SecondWalk = 10_000);

/// <summary>
/// Finds an account's messages by a filter, newest first, without looking at more of them than a page is worth.
/// <para>
/// No plan is right for every word. The index over time finds a frequent word at once, and walks a million messages for a rare one; the index over words
/// finds a rare one at once, and fetches and sorts a hundred thousand messages for a frequent one. What PostgreSQL knows of a word's frequency is a
/// guess, and nothing of when it was frequent, so it is not left to choose. In this order:
/// </para>
/// <list type="number">
/// <item>Walk the newest <see cref="SearchLimits.FirstWalk"/> candidates in order of time. A frequent word fills the page here.</item>
/// <item>Ask the index over words, if it knows the word, up to <see cref="SearchLimits.Hits"/> messages. A rare word's messages are all here.</item>
/// <item>A word that is in many messages but not in the newest: walk <see cref="SearchLimits.SecondWalk"/> candidates further, and end the page there. It may then
/// have fewer entries than asked for, and the next page goes on.</item>
/// </list>
/// <para>
/// Candidates are the messages of the recipient that is asked for, else of the status, else all: <c>ix_recipient_address</c> and <c>ix_recipient_status</c> are in
/// order of time within the account. Alone, these need no cap; together, a rare state takes the place of a rare word.
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
        if (scope.IsInOtherIndex)
        {
            var (rest, whole) = await reading.CappedPlacesAsync(MessageStatements.Search(scope, limits.Hits, wanted - found.Count), limits.Hits);
            if (whole) return new([.. found, .. rest], null);
        }
        found.AddRange(await reading.PlacesAsync(MessageStatements.Walk(scope, limits.SecondWalk, wanted - found.Count)));
        return new(found, found.Count == wanted ? null : await reading.PlaceAsync(MessageStatements.End(scope, limits.SecondWalk)));
    }

    /// <summary>Counts what a filter matches, up to <see cref="CountCap"/>; and tells whether there may be more.</summary>
    public async Task<(int Count, bool More)> CountAsync(long account, MessageFilter filter, CancellationToken cancel)
    {
        await using var reading = await Reading.BeginAsync(database, cancel);
        var scope = new SearchScope(account, filter, null, false);
        if (scope.IsInHand) return Capped(await reading.NumberAsync(MessageStatements.CountInHand(scope, CountCap + 1)), false);
        if (scope.IsOneIndex) return Capped(await reading.NumberAsync(MessageStatements.CountWalk(scope, CountCap + 1)), false);

        if (scope.IsInOtherIndex)
        {
            var (matches, hits) = await reading.NumbersAsync(MessageStatements.CountSearch(scope, CountCap));
            if (hits <= CountCap) return Capped(matches, false);
            if (!scope.HasRecipients) return (CountCap, true);
        }
        // Both are frequent, and what they have in common is not known without looking at all of it.
        var end = await reading.PlaceAsync(MessageStatements.End(scope, limits.SecondWalk));
        return Capped(await reading.NumberAsync(MessageStatements.CountWalk(scope, limits.SecondWalk)), end is not null);
    }

    private static (int Count, bool More) Capped(long count, bool more) => ((int)Math.Min(count, CountCap), more || count > CountCap);

    /// <summary>
    /// A snapshot, so that where one statement ended the next begins though messages arrive. Every statement is planned for its own values, since a plan for any
    /// word would be a wrong one for most, and is run by one process: to start others takes longer than it does.
    /// </summary>
    private sealed class Reading(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancel) : IAsyncDisposable
    {
        public static async Task<Reading> BeginAsync(NpgsqlDataSource database, CancellationToken cancel)
        {
            var connection = await database.OpenConnectionAsync(cancel);
            try
            {
                var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancel);
                await using var plans = new NpgsqlBatch(connection) { BatchCommands = { new("SET LOCAL plan_cache_mode = force_custom_plan"), new("SET LOCAL max_parallel_workers_per_gather = 0") } };
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

        public async Task<(long, long)> NumbersAsync(Statement statement)
        {
            await using var command = statement.On(connection);
            await using var reader = await command.ExecuteReaderAsync(cancel);
            await reader.ReadAsync(cancel);
            return (reader.GetInt64(0), reader.GetInt64(1));
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
