using System.CommandLine;
using Microsoft.EntityFrameworkCore;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Accounts;

namespace MoxApi.Api.Commands;

/// <summary><c>moxapi address …</c></summary>
internal static class AddressCommands
{
    public static Command Create() => new("address", "Addresses that receive mail.") { Add() };

    private static Command Add()
    {
        var text = new Argument<string>("address") { Description = "Such as jane@acme.example, of a domain that was added." };
        var account = new Option<string>("--account") { Description = "The account that gets its mail and may send from it.", Required = true };
        var name = new Option<string?>("--name") { Description = "The display name of sends that name no From." };
        var command = new Command("add", "Makes an address.") { text, account, name };
        command.SetAction((parsed, _) => CommandLine.WithDatabaseAsync(parsed, async (command, cancel) =>
        {
            if (!MailAddress.TryParse(parsed.GetValue(text), out var address, out var fault)) throw new CommandException($"{parsed.GetValue(text)}: {fault}");
            await using var context = command.Open();
            var owner = await AccountCommands.FindAsync(context, parsed.GetValue(account)!, cancel);
            var domain = await context.Domains.SingleOrDefaultAsync(d => d.Name == address.Domain.Ascii, cancel)
                ?? throw new CommandException($"There is no domain {address.Domain}. Add it first: moxapi domain add");
            var localPart = address.LocalPart.ToLowerInvariant();
            if (await context.Addresses.AnyAsync(a => a.DomainId == domain.Id && a.LocalPart == localPart, cancel)) throw new CommandException($"There is an address {address} already.");
            context.Add(new Address { AccountId = owner.Id, DomainId = domain.Id, LocalPart = localPart, DisplayName = parsed.GetValue(name), CreatedAt = TimeProvider.System.GetUtcNow() });
            await context.SaveChangesAsync(cancel);
            Console.WriteLine($"Address {address} is made.");
            return 0;
        }));
        return command;
    }
}
