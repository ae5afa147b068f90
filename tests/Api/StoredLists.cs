using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Access;
using MoxApi.Api.Lists;
using MoxApi.Migrations;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Access;
using MoxApi.OpenApi.Lists;
using MoxApi.Tests.Hosting;

namespace MoxApi.Tests.Api;

/// <summary>What tests of stored lists have in common: ids, callers, and walks over all pages of a list.</summary>
internal sealed class StoredLists(Installation installation) : IDbContextFactory<MailDbContext>, IDisposable
{
    private static readonly HashSet<string> ReadScope = [Scopes.Read];

    public PublicIds Ids { get; } = new(new byte[16]);

    public MailDbContext CreateDbContext() => installation.Open();

    /// <summary>The caller of the installation's account.</summary>
    public async Task<Caller> AcmeAsync()
    {
        await using var context = installation.Open();
        return new Caller(await context.Accounts.Where(a => a.Name == "acme").Select(a => a.Id).SingleAsync(), ReadScope);
    }

    /// <summary>The caller of another account.</summary>
    public async Task<Caller> StrangerAsync()
    {
        await using var context = installation.Open();
        var account = new Account { Name = "stranger", CreatedAt = TimeProvider.System.GetUtcNow() };
        context.Add(account);
        await context.SaveChangesAsync();
        return new Caller(account.Id, ReadScope);
    }

    /// <summary>All entries of a list, page by page from its beginning.</summary>
    public static async Task<List<T>> ForwardAsync<T>(int limit, CursorReader cursors, Func<PageRequest, Task<Page<T>>> list)
    {
        var all = new List<T>();
        var page = await list(new PageRequest(limit));
        while (true)
        {
            all.AddRange(page.Data);
            if (!page.HasMore) return all;
            if (page.Data.Count != limit || all.Count > 1000) throw new InvalidOperationException("The list does not come to its end.");
            page = await list(new PageRequest(limit, cursors(page.Next!)));
        }
    }

    /// <summary>All entries of a list ahead of a place, page by page towards its beginning, in the list's order.</summary>
    public static async Task<List<T>> BackwardAsync<T>(int limit, Place? from, CursorReader cursors, Func<PageRequest, Task<Page<T>>> list)
    {
        var all = new List<T>();
        while (true)
        {
            var page = await list(new PageRequest(limit, from, Backward: true));
            all.InsertRange(0, page.Data);
            if (!page.HasMore) return all;
            if (page.Data.Count != limit || all.Count > 1000) throw new InvalidOperationException("The list does not come to its end.");
            from = cursors(page.Previous!);
        }
    }

    public void Dispose() => Ids.Dispose();
}
