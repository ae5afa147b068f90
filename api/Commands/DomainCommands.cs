using System.CommandLine;
using Microsoft.EntityFrameworkCore;
using MoxApi.Delivery.Domains;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Accounts;

namespace MoxApi.Api.Commands;

/// <summary><c>moxapi domain …</c></summary>
internal static class DomainCommands
{
    public static Command Create() => new("domain", "Domains that mail is sent from.")
    {
        Add(),
        List(),
        OnOne("records", "Prints the DNS records to publish for a domain.", (command, domain, _) =>
        {
            Print(domain, command.Settings.Node.HostName);
            return Task.CompletedTask;
        }, null),
        OnOne("suspend", "Stops everybody from sending from a domain, and holds what is queued from it.", (command, domain, cancel) => command.Domains.SuspendAsync(domain.Id, cancel), "is suspended"),
        OnOne("resume", "Ends a domain's suspension, and releases what was held.", (command, domain, cancel) => command.Domains.ResumeAsync(domain.Id, cancel), "may be sent from"),
        OnOne("delete", "Deletes a domain with its keys and addresses, and cancels what is queued from it.", (command, domain, cancel) => command.Domains.DeleteAsync(domain.Id, cancel), "is deleted"),
    };

    private static Command Add()
    {
        var name = new Argument<string>("domain") { Description = "Such as acme.example." };
        var account = new Option<string>("--account") { Description = "The account that may send from it.", Required = true };
        var returnPath = new Option<string?>("--return-path-domain") { Description = "Where unique return paths live; bounces.DOMAIN by default." };
        var command = new Command("add", "Makes a domain with two DKIM keys, and prints the DNS records to publish.") { name, account, returnPath };
        command.SetAction((parsed, _) => CommandLine.WithDatabaseAsync(parsed, async (command, cancel) =>
        {
            var domain = Parse(parsed.GetValue(name)!);
            await using var context = command.Open();
            var owner = await AccountCommands.FindAsync(context, parsed.GetValue(account)!, cancel);
            var made = await command.Domains.CreateAsync(owner.Id, domain, parsed.GetValue(returnPath) is { } path ? Parse(path) : null, cancel);
            Console.WriteLine($"Domain {domain} is made. Publish:");
            Print(made, command.Settings.Node.HostName);
            return 0;
        }));
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Shows the domains with their state and their account.");
        command.SetAction((parsed, _) => CommandLine.WithDatabaseAsync(parsed, async (command, cancel) =>
        {
            await using var context = command.Open();
            foreach (var row in await context.Domains.Join(context.Accounts, d => d.AccountId, a => a.Id, (d, a) => new { d.Name, d.SuspendedAt, Account = a.Name }).OrderBy(d => d.Name).ToListAsync(cancel))
                Console.WriteLine($"{row.Name}\t{(row.SuspendedAt is null ? "active" : "suspended")}\t{row.Account}");
            return 0;
        }));
        return command;
    }

    private static Command OnOne(string verb, string description, Func<CommandContext, Domain, CancellationToken, Task> act, string? done)
    {
        var name = new Argument<string>("domain") { Description = "Such as acme.example." };
        var command = new Command(verb, description) { name };
        command.SetAction((parsed, _) => CommandLine.WithDatabaseAsync(parsed, async (command, cancel) =>
        {
            var domain = Parse(parsed.GetValue(name)!);
            await using var context = command.Open();
            var found = await context.Domains.Include(d => d.DkimKeys).SingleOrDefaultAsync(d => d.Name == domain.Ascii, cancel)
                ?? throw new CommandException($"There is no domain {domain}. See: moxapi domain list");
            await act(command, found, cancel);
            if (done is not null) Console.WriteLine($"Domain {domain} {done}.");
            return 0;
        }));
        return command;
    }

    private static MailDomain Parse(string text) => MailDomain.TryParse(text, out var domain, out var fault) ? domain : throw new CommandException($"{text}: {fault}");

    private static void Print(Domain domain, string host)
    {
        foreach (var record in DomainSetup.Records(domain, host, TimeProvider.System.GetUtcNow())) Console.WriteLine(record.ToZoneLine());
    }
}
