using System.CommandLine;
using MoxApi.Api.Access;
using MoxApi.Migrations.Accounts;
using MoxApi.OpenApi.Access;

namespace MoxApi.Api.Commands;

/// <summary><c>moxapi key …</c></summary>
internal static class KeyCommands
{
    public static Command Create() => new("key", "Keys of the HTTP API.") { Add() };

    private static Command Add()
    {
        var account = new Option<string>("--account") { Description = "The account the key acts for.", Required = true };
        var name = new Option<string>("--name") { Description = "What the key is for.", DefaultValueFactory = _ => "" };
        var scopes = new Option<string[]>("--scope")
        {
            Description = $"What the key may do: {string.Join(", ", Scopes.All)}. All but admin by default.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [.. Scopes.All.Where(s => s != Scopes.Admin)],
        };
        scopes.AcceptOnlyFromAmong([.. Scopes.All]);
        var command = new Command("add", "Makes a key and prints it, once.") { account, name, scopes };
        command.SetAction((parsed, _) => CommandLine.WithDatabaseAsync(parsed, async (command, cancel) =>
        {
            await using var context = command.Open();
            var owner = await AccountCommands.FindAsync(context, parsed.GetValue(account)!, cancel);
            var key = ApiKeyHash.NewKey();
            context.Add(new ApiKey
            {
                AccountId = owner.Id,
                Name = parsed.GetValue(name)!,
                Hash = ApiKeyHash.Of(key),
                Prefix = ApiKeyHash.Shown(key),
                Scopes = parsed.GetValue(scopes)!,
                CreatedAt = TimeProvider.System.GetUtcNow(),
            });
            await context.SaveChangesAsync(cancel);
            Console.WriteLine(key);
            return 0;
        }));
        return command;
    }
}
