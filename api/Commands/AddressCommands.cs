using System.CommandLine;
using Microsoft.EntityFrameworkCore;
using MoxApi.Mail.Addresses;

namespace MoxApi.Api.Commands;

/// <summary><c>moxapi address …</c></summary>
internal static class AddressCommands
{
    public static Command Create() => new("address", "Addresses that receive mail.") { Add(), List(), Remove() };

    private static Command Add()
    {
        var text = new Argument<string>("address") { Description = "Such as jane@acme.example, of a domain that was added." };
        var account = new Option<string>("--account") { Description = "The account that gets its mail and may send from it.", Required = true };
        var name = new Option<string?>("--name") { Description = "The display name of sends that name no From." };
        var command = new Command("add", "Makes an address.") { text, account, name };
        command.SetAction((parsed, _) => CommandLine.WithDatabaseAsync(parsed, async (command, cancel) =>
        {
            var address = Parse(parsed.GetValue(text)!);
            await using var context = command.Open();
            var owner = await AccountCommands.FindAsync(context, parsed.GetValue(account)!, cancel);
            await command.Addresses.AddAsync(owner.Id, address, parsed.GetValue(name), cancel);
            Console.WriteLine($"Address {address} is made.");
            return 0;
        }));
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Shows the addresses with their account and display name.");
        command.SetAction((parsed, _) => CommandLine.WithDatabaseAsync(parsed, async (command, cancel) =>
        {
            await using var context = command.Open();
            var rows = from a in context.Addresses
                       join d in context.Domains on a.DomainId equals d.Id
                       join account in context.Accounts on a.AccountId equals account.Id
                       orderby d.Name, a.LocalPart
                       select new { a.LocalPart, Domain = d.Name, Account = account.Name, a.DisplayName };
            foreach (var row in await rows.ToListAsync(cancel)) Console.WriteLine($"{row.LocalPart}@{row.Domain}\t{row.Account}\t{row.DisplayName}");
            return 0;
        }));
        return command;
    }

    private static Command Remove()
    {
        var text = new Argument<string>("address") { Description = "Such as jane@acme.example." };
        var command = new Command("remove", "Removes an address: it receives no more mail.") { text };
        command.SetAction((parsed, _) => CommandLine.WithDatabaseAsync(parsed, async (command, cancel) =>
        {
            var address = Parse(parsed.GetValue(text)!);
            var localPart = address.LocalPart.ToLowerInvariant();
            await using var context = command.Open();
            var found = await context.Addresses.SingleOrDefaultAsync(a => a.LocalPart == localPart && context.Domains.Any(d => d.Id == a.DomainId && d.Name == address.Domain.Ascii), cancel)
                ?? throw new CommandException($"There is no address {address}. See: moxapi address list");
            await command.Addresses.RemoveAsync(found.AccountId, found.Id, cancel);
            Console.WriteLine($"Address {address} is removed.");
            return 0;
        }));
        return command;
    }

    private static MailAddress Parse(string text) => MailAddress.TryParse(text, out var address, out var fault) ? address : throw new CommandException($"{text}: {fault}");
}
