using System.CommandLine;
using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Json;
using MoxApi.Api.Keys;
using MoxApi.OpenApi;
using MoxApi.OpenApi.Access;
using MoxApi.OpenApi.Keys;

namespace MoxApi.Api.Commands;

/// <summary><c>moxapi key …</c></summary>
internal static class KeyCommands
{
    public static Command Create() => new("key", "Keys of the HTTP API.") { Add(), List(), Delete() };

    private static Command Add()
    {
        var account = new Option<string>("--account") { Description = "The account the key acts for.", Required = true };
        var name = new Option<string>("--name") { Description = "What the key is for.", DefaultValueFactory = _ => "key" };
        var scopes = new Option<string[]>("--scope")
        {
            Description = $"What the key may do: {string.Join(", ", Scopes.All)}. All but admin by default.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [.. Scopes.All.Where(s => s != Scopes.Admin)],
        };
        scopes.AcceptOnlyFromAmong([.. Scopes.All]);
        var domains = new Option<string[]>("--domain") { Description = "The only domains it may send from.", AllowMultipleArgumentsPerToken = true };
        var test = new Option<bool>("--test") { Description = "What is sent with it is accepted and shown, and never leaves." };
        var expires = new Option<string?>("--expires") { Description = "From when on it is refused, such as 2027-11-22T00:00:00Z." };
        var command = new Command("add", "Makes a key and prints it, once.") { account, name, scopes, domains, test, expires };
        command.SetAction((parsed, _) => CommandLine.WithDatabaseAsync(parsed, async (command, cancel) =>
        {
            var request = new CreateApiKeyRequest
            {
                Name = parsed.GetValue(name)!,
                Scopes = [.. parsed.GetValue(scopes)!.Select(KeyRules.Of)],
                Domains = parsed.GetValue(domains) is { Length: > 0 } names ? names : null,
                Test = parsed.GetValue(test),
                ExpiresAt = parsed.GetValue(expires) is { } until ? Time(until) : null,
            };
            await using var context = command.Open();
            var owner = await AccountCommands.FindAsync(context, parsed.GetValue(account)!, cancel);
            var faults = new Faults();
            KeyRules.Check(request, TimeProvider.System.GetUtcNow(), faults);
            var limit = await command.Keys.DomainsAsync(owner.Id, request.Domains, faults, cancel);
            faults.ThrowIfAny();
            Console.WriteLine((await command.Keys.CreateAsync(owner.Id, request, limit, cancel)).Key);
            return 0;
        }));
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Shows the keys by their first characters, with their account, name, scopes, and when they were last used.");
        command.SetAction((parsed, _) => CommandLine.WithDatabaseAsync(parsed, async (command, cancel) =>
        {
            await using var context = command.Open();
            foreach (var row in await context.ApiKeys.Join(context.Accounts, k => k.AccountId, a => a.Id, (k, a) => new { Key = k, a.Name }).OrderBy(k => k.Name).ThenBy(k => k.Key.Id).ToListAsync(cancel))
            {
                var used = row.Key.LastUsedAt is { } at ? $"used {WireTime.Write(at)}" : "never used";
                var marks = $"{(row.Key.IsTest ? ", test" : "")}{(row.Key.ExpiresAt is { } end ? $", expires {WireTime.Write(end)}" : "")}";
                Console.WriteLine($"{row.Key.Prefix}\t{row.Name}\t{row.Key.Name}\t{string.Join(' ', row.Key.Scopes)}\t{used}{marks}");
            }
            return 0;
        }));
        return command;
    }

    private static Command Delete()
    {
        var prefix = new Argument<string>("key") { Description = "The key's first characters, as the list shows them." };
        var command = new Command("delete", "Deletes a key: it is refused within a second.") { prefix };
        command.SetAction((parsed, _) => CommandLine.WithDatabaseAsync(parsed, async (command, cancel) =>
        {
            var shown = parsed.GetValue(prefix)!;
            await using var context = command.Open();
            var found = await context.ApiKeys.Where(k => k.Prefix == shown).Select(k => k.Id).ToListAsync(cancel);
            if (found.Count != 1) throw new CommandException(found.Count == 0 ? $"There is no key {shown}. See: moxapi key list" : $"{found.Count} keys begin with {shown}; delete them over HTTP.");
            await command.Keys.DeleteAsync(found[0], cancel);
            Console.WriteLine($"Key {shown} is deleted.");
            return 0;
        }));
        return command;
    }

    private static DateTimeOffset Time(string text) => WireTime.TryParse(text, out var time) ? time : throw new CommandException("--expires takes a time such as 2027-11-22T00:00:00Z.");
}
