using MoxApi.Tests.Hosting;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Api.Messages;

/// <summary>A request with faults names a sender who is not allowed among them, for which PostgreSQL is asked.</summary>
public sealed class SenderLookupTests(TestPostgres postgres)
{
    private const string Faulty = """{"to": ["jane@"], "text": "Hello"}""";

    [Theory]
    [InlineData("57P03")] // It starts.
    [InlineData("53300")] // It has no connection left.
    public async Task What_is_known_to_be_wrong_is_told_also_while_PostgreSQL_cannot_say_who_may_send(string state)
    {
        await using var host = await StoredApiHost.StartAsync(postgres);
        await FailLookupsAsync(host.Installation.Database, state);

        var faulty = await host.PostAsync("/v1/messages", Faulty);
        var batch = await host.PostAsync("/v1/messages/batch", $$"""{"messages": [{{Faulty}}]}""");
        var around = await host.PostAsync("/v1/messages/batch", $$"""{"messages": [{{Faulty}}], "wrong": 1}""");
        var good = await host.PostAsync("/v1/messages", """{"to": ["jane@example.org"], "text": "Hello"}""");

        Assert.Equal(422, faulty.Status);
        Assert.Equal(["/to/0 invalid_address"], faulty.Faults);
        var result = Assert.Single(batch.Json.GetProperty("results").EnumerateArray());
        Assert.Equal((422, "/messages/0/to/0"), (result.GetProperty("status").GetInt32(), result.GetProperty("problem").GetProperty("errors")[0].GetProperty("pointer").GetString()));
        Assert.Equal(422, around.Status);
        Assert.Equal(["/messages/0/to/0 invalid_address", "/wrong unknown_field"], around.Faults.Order(StringComparer.Ordinal));
        Assert.Equal((503, "unavailable"), (good.Status, good.Code));
    }

    // Whoever reads the addresses, which is who looks for a sender, is told that PostgreSQL is not there; all others are served.
    private static async Task FailLookupsAsync(NpgsqlDataSource database, string state)
    {
        await using var command = database.CreateCommand($"""
            CREATE FUNCTION away() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'Not now.' USING ERRCODE = '{state}'; END $$;
            ALTER TABLE address RENAME TO address_there;
            CREATE VIEW address AS SELECT * FROM address_there WHERE away();
            """);
        await command.ExecuteNonQueryAsync();
    }
}
