using System.Text;
using MoxApi.Migrations.Identifiers;
using Npgsql;
using Event = MoxApi.OpenApi.Events.Event;

namespace MoxApi.Webhooks.Events;

/// <summary>A place in a message's events: ids come from blocks of several nodes, so only with the time do they make an order.</summary>
public readonly record struct EventPosition(DateTimeOffset At, long Id);

/// <summary>An event and its place.</summary>
public sealed record PlacedEvent(EventPosition Position, Event Event);

/// <summary>What happened to a message, as the same objects that are posted.</summary>
public sealed class MessageEvents(NpgsqlDataSource database, PublicIds ids)
{
    /// <summary>Reads events of a message, newest first.</summary>
    /// <param name="account">The owner; of another's message there are none.</param>
    /// <param name="message">The message.</param>
    /// <param name="after">Start behind this place: older ones.</param>
    /// <param name="before">End ahead of this place: the nearest newer ones. Not together with <paramref name="after"/>.</param>
    /// <param name="limit">The most to return, from 1.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<List<PlacedEvent>> ReadAsync(
        long account, long message, EventPosition? after, EventPosition? before, int limit, CancellationToken cancel)
    {
        var newer = before is not null;
        await using var command = database.CreateCommand($"""
            SELECT {EventQuery.Columns} FROM event e {EventQuery.Joins}
            WHERE e.message_id = $1 AND e.account_id = $2 {(newer ? "AND (e.at, e.id) > ($4, $5)" : after is not null ? "AND (e.at, e.id) < ($4, $5)" : "")}
            ORDER BY e.at {(newer ? "ASC" : "DESC")}, e.id {(newer ? "ASC" : "DESC")} LIMIT $3
            """);
        command.Parameters.Add(new() { Value = message });
        command.Parameters.Add(new() { Value = account });
        command.Parameters.Add(new() { Value = limit });
        if ((before ?? after) is { } place)
        {
            command.Parameters.Add(new() { Value = place.At });
            command.Parameters.Add(new() { Value = place.Id });
        }
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var events = new List<PlacedEvent>();
        while (await reader.ReadAsync(cancel))
            events.Add(new(new(reader.GetFieldValue<DateTimeOffset>(2), reader.GetInt64(0)), EventQuery.Read(reader, ids)));
        if (newer) events.Reverse();
        return events;
    }

    /// <summary>What is posted for an event; null where it was deleted. Whose it is was asked before.</summary>
    internal async Task<string?> BodyAsync(long id, CancellationToken cancel)
    {
        await using var command = database.CreateCommand($"SELECT {EventQuery.Columns} FROM event e {EventQuery.Joins} WHERE e.id = $1");
        command.Parameters.Add(new() { Value = id });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        return await reader.ReadAsync(cancel) ? Encoding.UTF8.GetString(EventQuery.ReadBody(reader, ids)) : null;
    }
}
