using System.CommandLine;
using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Access;
using MoxApi.Delivery.Outcomes;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Mailboxes;
using Spectre.Console;

namespace MoxApi.Api.Commands;

/// <summary><c>moxapi account …</c></summary>
internal static class AccountCommands
{
    private const int MaxName = 64;

    public static Command Create() => new("account", "Accounts: who sends and receives.") { Add(), List() };

    /// <summary>The account of a name.</summary>
    /// <exception cref="CommandException">There is none.</exception>
    public static async Task<Account> FindAsync(Migrations.MailDbContext context, string name, CancellationToken cancel) =>
        await context.Accounts.SingleOrDefaultAsync(a => a.Name == name, cancel) ?? throw new CommandException($"There is no account \"{name}\". See: moxapi account list");

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
            var account = new Account
            {
                Name = parsed.GetValue(name)!,
                ReturnPath = parsed.GetValue(returnPath) == "sender" ? ReturnPathMode.Sender : ReturnPathMode.Unique,
                RetrySchedule = parsed.GetValue(retry)!,
                QueueLifeSeconds = parsed.GetValue(life) * 3600,
                PasswordHash = parsed.GetValue(password) ? await PasswordHash.CreateAsync(ReadPassword()) : null,
                CreatedAt = TimeProvider.System.GetUtcNow(),
            };
            Check(account);
            await using var context = command.Open();
            if (await context.Accounts.AnyAsync(a => a.Name == account.Name, cancel)) throw new CommandException($"There is an account \"{account.Name}\" already.");
            await using var transaction = await context.Database.BeginTransactionAsync(cancel);
            context.Add(account);
            await context.SaveChangesAsync(cancel);
            context.Add(new Mailbox { AccountId = account.Id, Name = "Inbox" });
            await context.SaveChangesAsync(cancel);
            await transaction.CommitAsync(cancel);
            Console.WriteLine($"Account {account.Name} is made. Next: moxapi domain add --account {account.Name} DOMAIN, then moxapi key add --account {account.Name}");
            return 0;
        }));
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Shows the accounts with their domains.");
        command.SetAction((parsed, _) => CommandLine.WithDatabaseAsync(parsed, async (command, cancel) =>
        {
            await using var context = command.Open();
            foreach (var account in await context.Accounts.OrderBy(a => a.Name).ToListAsync(cancel))
            {
                var domains = await context.Domains.Where(d => d.AccountId == account.Id).OrderBy(d => d.Name).Select(d => d.Name).ToListAsync(cancel);
                Console.WriteLine($"{account.Name}\t{string.Join(' ', domains)}");
            }
            return 0;
        }));
        return command;
    }

    private static void Check(Account account)
    {
        if (account.Name.Length is 0 or > MaxName || account.Name.Any(char.IsControl)) throw new CommandException("An account's name has 1 to 64 characters, none of them a control character.");
        if (!RetrySchedule.TryParse(account.RetrySchedule, out _)) throw new CommandException("--retry takes default, mox, or up to 50 waits such as \"30s 5m 1h\", each of 1 s to 7 days.");
        if (account.QueueLifeSeconds is < 3600 or > 240 * 3600) throw new CommandException("--queue-hours takes 1 to 240.");
    }

    private static string ReadPassword()
    {
        if (!Console.IsInputRedirected) Console.Error.Write("Password: ");
        var password = Console.IsInputRedirected ? Console.In.ReadLine() : AnsiConsole.Prompt(new TextPrompt<string>("").Secret());
        return password is { Length: >= 8 and <= 256 } ? password : throw new CommandException("A password has 8 to 256 characters.");
    }
}
