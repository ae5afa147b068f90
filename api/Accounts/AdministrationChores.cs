using Hangfire;
using MoxApi.Api.Domains;

namespace MoxApi.Api.Accounts;

/// <summary>What follows from the decisions of admins, and has to be done now and then, by any node.</summary>
internal sealed class AdministrationChores(Stops stops, StoredDkimKeys keys)
{
    /// <summary>Changes DKIM keys whose time has come, and finds what slipped through when somebody was stopped from sending.</summary>
    [AutomaticRetry(Attempts = 0)]
    public async Task CatchUp(CancellationToken stop)
    {
        await keys.RotateDueAsync(stop);
        await stops.CatchUpAsync(stop);
    }
}
