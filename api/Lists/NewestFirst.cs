using Microsoft.EntityFrameworkCore;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Lists;

namespace MoxApi.Api.Lists;

/// <summary>Lists of things whose stored ids are in the order they were made: the newest first, an entry's public id as its cursor.</summary>
internal static class NewestFirst
{
    /// <summary>Reads a page.</summary>
    /// <param name="rows">All that the caller may see, of entities with an <c>Id</c>.</param>
    /// <param name="page">Which page.</param>
    /// <param name="kind">What the entries are.</param>
    /// <param name="ids">Makes cursors.</param>
    /// <param name="idOf">An entry's stored id.</param>
    /// <param name="map">What the page shows of an entry.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<Page<T>> ToPageAsync<TEntity, T>(
        this IQueryable<TEntity> rows, PageRequest page, PublicIdKind kind, PublicIds ids, Func<TEntity, long> idOf, Func<TEntity, T> map, CancellationToken cancel)
        where TEntity : class
    {
        if (page.From is { Id: var place }) rows = page.Backward ? rows.Where(r => EF.Property<long>(r, "Id") > place) : rows.Where(r => EF.Property<long>(r, "Id") < place);
        rows = page.Backward ? rows.OrderBy(r => EF.Property<long>(r, "Id")) : rows.OrderByDescending(r => EF.Property<long>(r, "Id"));
        var found = await rows.AsNoTracking().Take(page.Limit + 1).ToListAsync(cancel);
        return page.ToPage(found, row => ids.Make(kind, idOf(row)), map);
    }
}
