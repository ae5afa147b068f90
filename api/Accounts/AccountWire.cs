using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Accounts;
using MoxApi.OpenApi.Messages;
using Account = MoxApi.Migrations.Accounts.Account;

namespace MoxApi.Api.Accounts;

/// <summary>Stored accounts in the form of the contract, and back.</summary>
internal static class AccountWire
{
    public static MoxApi.OpenApi.Accounts.Account Of(Account row, PublicIds ids) => new()
    {
        Id = ids.Make(PublicIdKind.Account, row.Id),
        Name = row.Name,
        Status = row.SuspendedAt is not null ? AccountStatus.Suspended : row.PausedAt is not null ? AccountStatus.Paused : AccountStatus.Active,
        SuspendedAt = row.SuspendedAt,
        PausedAt = row.PausedAt,
        PauseReason = row.PauseReason,
        HasPassword = row.PasswordHash is not null,
        ReturnPath = row.ReturnPath == ReturnPathMode.Sender ? ReturnPath.Sender : ReturnPath.Unique,
        RetrySchedule = row.RetrySchedule,
        QueueHours = row.QueueLifeSeconds / 3600,
        PauseBouncePercent = row.PauseBouncePercent,
        PauseComplaintPercent = row.PauseComplaintPercent,
        KeepContentDays = row.KeepContentDays,
        KeepMessageDays = row.KeepMessageDays,
        KeepWebhookDays = row.KeepWebhookDays,
        CreatedAt = row.CreatedAt,
    };

    /// <summary>Sets what is given, and leaves the rest. The password is not among it: its hash takes time.</summary>
    public static void Apply(AccountSettings settings, Account row)
    {
        if (settings.ReturnPath is { } returnPath) row.ReturnPath = returnPath == ReturnPath.Sender ? ReturnPathMode.Sender : ReturnPathMode.Unique;
        row.RetrySchedule = settings.RetrySchedule ?? row.RetrySchedule;
        row.QueueLifeSeconds = settings.QueueHours * 3600 ?? row.QueueLifeSeconds;
        row.PauseBouncePercent = settings.PauseBouncePercent ?? row.PauseBouncePercent;
        row.PauseComplaintPercent = settings.PauseComplaintPercent ?? row.PauseComplaintPercent;
        row.KeepContentDays = settings.KeepContentDays ?? row.KeepContentDays;
        row.KeepMessageDays = settings.KeepMessageDays ?? row.KeepMessageDays;
        row.KeepWebhookDays = settings.KeepWebhookDays ?? row.KeepWebhookDays;
    }

    /// <summary>Takes fields back to what an account has that says nothing about them.</summary>
    public static void Reset(IEnumerable<string> fields, Account row)
    {
        var fresh = new Account { Name = row.Name };
        foreach (var field in fields)
        {
            switch (field)
            {
                case "password": row.PasswordHash = fresh.PasswordHash; break;
                case "returnPath": row.ReturnPath = fresh.ReturnPath; break;
                case "retrySchedule": row.RetrySchedule = fresh.RetrySchedule; break;
                case "queueHours": row.QueueLifeSeconds = fresh.QueueLifeSeconds; break;
                case "pauseBouncePercent": row.PauseBouncePercent = fresh.PauseBouncePercent; break;
                case "pauseComplaintPercent": row.PauseComplaintPercent = fresh.PauseComplaintPercent; break;
                case "keepContentDays": row.KeepContentDays = fresh.KeepContentDays; break;
                case "keepMessageDays": row.KeepMessageDays = fresh.KeepMessageDays; break;
                case "keepWebhookDays": row.KeepWebhookDays = fresh.KeepWebhookDays; break;
                default: throw new InvalidOperationException($"The field {field} cannot be reset.");
            }
        }
    }
}
