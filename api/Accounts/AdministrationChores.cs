using Hangfire;
using MoxApi.Api.Domains;
using MoxApi.Migrations.Accounts;
using Npgsql;

namespace MoxApi.Api.Accounts;

/// <summary>What follows from the decisions of admins, and has to be done now and then, by any node.</summary>
internal sealed class AdministrationChores(NpgsqlDataSource database, Stops stops, StoredDkimKeys keys)
{
    /// <summary>Holds what slipped through a suspension while it was made, and changes DKIM keys whose time has come.</summary>
    [AutomaticRetry(Attempts = 0)]
    public async Task CatchUp(CancellationToken stop)
    {
        await keys.RotateDueAsync(stop);
        await stops.CatchUpAsync(stop);
    }

    /// <summary>Deletes what is left of deleted accounts.</summary>
    [AutomaticRetry(Attempts = 0)]
    public async Task RemoveDeletedAccounts(CancellationToken stop)
    {
        foreach (var account in await DeletedAccounts.FindAsync(database, stop))
        {
            await stops.EndAccountAsync(account, stop);
            await DeletedAccounts.RemoveAsync(database, account, stop);
        }
    }
}
