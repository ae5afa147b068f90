using System.CommandLine;
using Microsoft.EntityFrameworkCore;
using MoxApi.Delivery.Domains;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Accounts;

namespace MoxApi.Api.Commands;

/// <summary><c>moxapi domain …</c></summary>
internal static class DomainCommands
{
    public static Command Create() => new("domain", "Domains that mail is sent from.") { Add(), Records() };

    /// <summary>Reads a domain from the command line.</summary>
    /// <exception cref="CommandException">It is none.</exception>
    public static MailDomain Parse(string text) => MailDomain.TryParse(text, out var domain, out var fault) ? domain : throw new CommandException($"{text}: {fault}");

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
            if (await context.Domains.AnyAsync(d => d.Name == domain.Ascii, cancel)) throw new CommandException($"There is a domain {domain} already.");
            var made = new DomainSetup(command.Secrets, TimeProvider.System).Create(owner.Id, domain, parsed.GetValue(returnPath) is { } path ? Parse(path) : null);
            context.Add(made);
            await context.SaveChangesAsync(cancel);
            Console.WriteLine($"Domain {domain} is made. Publish:");
            Print(made, command.Settings.Node.HostName);
            return 0;
        }));
        return command;
    }

    private static Command Records()
    {
        var name = new Argument<string>("domain") { Description = "Such as acme.example." };
        var command = new Command("records", "Prints the DNS records to publish for a domain.") { name };
        command.SetAction((parsed, _) => CommandLine.WithDatabaseAsync(parsed, async (command, cancel) =>
        {
            var domain = Parse(parsed.GetValue(name)!);
            await using var context = command.Open();
            var found = await context.Domains.Include(d => d.DkimKeys).SingleOrDefaultAsync(d => d.Name == domain.Ascii, cancel)
                ?? throw new CommandException($"There is no domain {domain}.");
            Print(found, command.Settings.Node.HostName);
            return 0;
        }));
        return command;
    }

    private static void Print(Domain domain, string host)
    {
        foreach (var record in DomainSetup.Records(domain, host)) Console.WriteLine(record.ToZoneLine());
    }
}
