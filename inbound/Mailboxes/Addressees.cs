using Microsoft.EntityFrameworkCore;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations;

namespace MoxApi.Inbound.Mailboxes;

/// <summary>Whose address it is.</summary>
internal sealed class Addressees(IDbContextFactory<MailDbContext> contexts, MailboxOptions options)
{
    /// <summary>The account that receives mail for an address; null where nobody does.</summary>
    public async ValueTask<long?> FindAsync(MailAddress recipient, CancellationToken cancellationToken)
    {
        var address = options.SandboxAddress ?? recipient;
        // RFC 5321 §2.4: only the receiving domain may fold case. We are it, and do: nobody has two mailboxes that differ in case alone.
        var localPart = address.LocalPart.ToLowerInvariant();
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var found = await context.Addresses
            .Where(a => a.LocalPart == localPart)
            .Join(context.Domains.Where(d => d.Name == address.Domain.Ascii), a => a.DomainId, d => d.Id, (a, d) => (long?)a.AccountId)
            .SingleOrDefaultAsync(cancellationToken);
        return found;
    }
}
