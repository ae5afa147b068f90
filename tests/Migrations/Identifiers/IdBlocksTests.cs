using System.Collections.Concurrent;
using MoxApi.Migrations.Identifiers;
using MoxApi.Tests.Hosting;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Migrations.Identifiers;

public class IdBlocksTests(TestPostgres postgres)
{
    [Fact]
    public async Task No_id_is_given_twice_by_two_nodes_with_many_callers_each()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        using var one = new IdBlocks(database);
        using var two = new IdBlocks(database);
        var given = new ConcurrentBag<(long First, int Count)>();

        await Task.WhenAll(Enumerable.Range(0, 16).Select(n => Task.Run(async () =>
        {
            var random = new Random(n);
            for (var i = 0; i < 200; i++)
            {
                var count = i % 50 == 0 ? IdBlocks.BlockSize : random.Next(1, 100);
                given.Add((await (n % 2 == 0 ? one : two).ReserveAsync(count, default), count));
            }
        })));

        var end = 0L;
        foreach (var (first, count) in given.OrderBy(g => g.First))
        {
            Assert.True(first >= end, $"{first} was given twice.");
            end = first + count;
        }
    }

    [Theory, InlineData(0), InlineData(-1), InlineData(IdBlocks.BlockSize + 1)]
    public async Task Other_numbers_are_refused(int count)
    {
        await using var database = NpgsqlDataSource.Create("Host=/nowhere");
        using var ids = new IdBlocks(database);

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await ids.ReserveAsync(count, default));
    }
}
