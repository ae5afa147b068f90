using Microsoft.EntityFrameworkCore;

namespace MoxApi.Migrations.Accounts;

/// <summary>Keeps an account in place while something is added to it.</summary>
public static class AccountHold
{
    /// <summary>
    /// Holds off the account's deletion until the transaction ends; false where there is no such account. A foreign key does not do that, for a deleted account
    /// keeps its row.
    /// </summary>
    public static async Task<bool> HoldAccountAsync(this MailDbContext context, long id, CancellationToken cancel) =>
        (await context.Database.SqlQuery<long>($"""SELECT id AS "Value" FROM account WHERE id = {id} AND deleted_at IS NULL FOR SHARE""").ToListAsync(cancel)).Count > 0;
}
