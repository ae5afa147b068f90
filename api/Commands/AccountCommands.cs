using System.CommandLine;
using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Accounts;
using MoxApi.Api.Json;
using MoxApi.OpenApi.Accounts;
using MoxApi.OpenApi.Messages;
using Spectre.Console;
using Account = MoxApi.Migrations.Accounts.Account;

namespace MoxApi.Api.Commands;

/// <summary><c>moxapi account …</c></summary>
internal static class AccountCommands
{
    public static Command Create() => new("account", "Accounts: who sends and receives.")
    {
        Add(),
        List(),
        OnOne("suspend", "Stops an account from sending, and holds what it has queued.", (command, account, cancel) => command.Accounts.SuspendAsync(account, cancel), "is suspended"),
        OnOne("resume", "Ends an account's suspension or pause, and releases what was held.", (command, account, cancel) => command.Accounts.ResumeAsync(account, cancel), "may send"),
        OnOne("delete", "Deletes an account with its domains, addresses, keys, webhooks and messages, and cancels what it has queued.",
            (command, account, cancel) => command.Accounts.DeleteAsync(account, cancel), "is deleted"),
    };

    /// <summary>The account of a name.</summary>
    /// <exception cref="CommandException">There is none.</exception>
    public static async Task<Account> FindAsync(Migrations.MailDbContext context, string name, CancellationToken cancel) =>
        await StoredAccounts.In(context).SingleOrDefaultAsync(a => a.Name == name, cancel) ?? throw new CommandException($"There is no account \"{name}\". See: moxapi account list");

    private static Command Add()
    {
        var name = new Argument<string>("name") { Description = "The account's name, unique, 1 to 64 characters." };
        var password = new Option<bool>("--password") { Description = "Reads a password from the terminal or standard input, for Basic authentication." };
        var returnPath = new Option<string>("--return-path") { Description = "unique: an address of its own per recipient; sender: the address of From.", DefaultValueFactory = _ => "unique" };
        returnPath.AcceptOnlyFromAmong("unique", "sender");
        var retry = new Option<string>("--retry") { Description = "Waits between delivery attempts: default, mox, or such as \"1m 5m 1h\".", DefaultValueFactory = _ => "default" };
        var life = new Option<int>("--queue-hours") { Description = "Hours a message may stay in the queue, 1 to 240.", DefaultValueFactory = _ => 48 };
        var command = new Command("add", "Makes an account.") { name, password, returnPath, retry, life };
        command.SetAction((parsed, _) => CommandLine.WithDatabaseAsync(parsed, async (command, cancel) =>
        {
            var request = new CreateAccountRequest
            {
                Name = parsed.GetValue(name)!,
                ReturnPath = parsed.GetValue(returnPath) == "sender" ? ReturnPath.Sender : ReturnPath.Unique,
                RetrySchedule = parsed.GetValue(retry)!,
                QueueHours = parsed.GetValue(life),
                Password = parsed.GetValue(password) ? ReadPassword() : null,
            };
            var faults = new Faults();
            AccountRules.Check(request, faults);
            faults.ThrowIfAny();
            var account = await command.Accounts.CreateAsync(request, cancel);
            Console.WriteLine($"Account {account.Name} is made. Next: moxapi domain add --account {account.Name} DOMAIN, then moxapi key add --account {account.Name}");
            return 0;
        }));
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Shows the accounts with their state and their domains.");
        command.SetAction((parsed, _) => CommandLine.WithDatabaseAsync(parsed, async (command, cancel) =>
        {
            await using var context = command.Open();
            foreach (var account in await StoredAccounts.In(context).OrderBy(a => a.Name).ToListAsync(cancel))
            {
                var domains = await context.Domains.Where(d => d.AccountId == account.Id).OrderBy(d => d.Name).Select(d => d.Name).ToListAsync(cancel);
                Console.WriteLine($"{account.Name}\t{(account.SuspendedAt is not null ? "suspended" : account.PausedAt is not null ? "paused" : "active")}\t{string.Join(' ', domains)}");
            }
            return 0;
        }));
        return command;
    }

    private static Command OnOne(string verb, string description, Func<CommandContext, long, CancellationToken, Task> act, string done)
    {
        var name = new Argument<string>("name") { Description = "The account's name." };
        var command = new Command(verb, description) { name };
        command.SetAction((parsed, _) => CommandLine.WithDatabaseAsync(parsed, async (command, cancel) =>
        {
            await using var context = command.Open();
            var account = await FindAsync(context, parsed.GetValue(name)!, cancel);
            await act(command, account.Id, cancel);
            Console.WriteLine($"Account {account.Name} {done}.");
            return 0;
        }));
        return command;
    }

    // The length is checked with the rest.
    private static string ReadPassword()
    {
        if (!Console.IsInputRedirected) Console.Error.Write("Password: ");
        return (Console.IsInputRedirected ? Console.In.ReadLine() : AnsiConsole.Prompt(new TextPrompt<string>("").Secret())) ?? "";
    }
}
