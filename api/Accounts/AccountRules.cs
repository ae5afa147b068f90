using System.Globalization;
using MoxApi.Api.Json;
using MoxApi.Api.Messages.Rules;
using MoxApi.Delivery.Outcomes;
using MoxApi.OpenApi;
using MoxApi.OpenApi.Accounts;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Accounts;

/// <summary>The rules for an account, whether it is made over HTTP or on the command line.</summary>
internal static class AccountRules
{
    public const int MaxName = 64;
    public const int MinPassword = 8;
    public const int MaxPassword = 256;
    private const int MaxDays = 3650;
    private const int MaxQueueHours = 240;

    /// <summary>What can be taken back to its default.</summary>
    private static readonly string[] Resettable = [.. typeof(AccountSettings).GetProperties().Where(p => p.CanWrite).Select(p => Field(p.Name))];

    public static void Check(CreateAccountRequest request, Faults faults)
    {
        TextRules.Word(request.Name, MaxName, "/name", faults);
        CheckSettings(request, faults);
    }

    public static void Check(ChangeAccountRequest request, Faults faults)
    {
        if (request.Name is { } name) TextRules.Word(name, MaxName, "/name", faults);
        CheckSettings(request, faults);
        ResetRules.Check(request.Reset, Resettable, request, faults);
    }

    private static void CheckSettings(AccountSettings settings, Faults faults)
    {
        if (settings.Password is { Length: < MinPassword or > MaxPassword }) faults.Add("/password", FaultCodes.InvalidValue, $"A password has {MinPassword} to {MaxPassword} characters.");
        TextRules.OneLine(settings.Password, MaxPassword, "/password", faults);
        if (settings.RetrySchedule is { } schedule && !RetrySchedule.TryParse(schedule, out _))
            faults.Add("/retrySchedule", FaultCodes.InvalidValue, "A schedule is default, mox, or up to 50 waits such as \"30s 5m 1h\", each of 1 s to 7 days.");
        Between(settings.QueueHours, 1, MaxQueueHours, "/queueHours", faults);
        Between(settings.KeepContentDays, 0, MaxDays, "/keepContentDays", faults);
        Between(settings.KeepMessageDays, 1, MaxDays, "/keepMessageDays", faults);
        Between(settings.KeepWebhookDays, 0, MaxDays, "/keepWebhookDays", faults);
        Percent(settings.PauseBouncePercent, "/pauseBouncePercent", faults);
        Percent(settings.PauseComplaintPercent, "/pauseComplaintPercent", faults);
    }

    private static void Between(int? value, int min, int max, string pointer, Faults faults)
    {
        if (value < min || value > max) faults.Add(pointer, FaultCodes.InvalidValue, string.Create(CultureInfo.InvariantCulture, $"The value is {min} to {max}."));
    }

    private static void Percent(double? value, string pointer, Faults faults)
    {
        if (value is <= 0 or > 100) faults.Add(pointer, FaultCodes.InvalidValue, "The value is above 0 and at most 100.");
    }

    private static string Field(string property) => WireJson.Options.PropertyNamingPolicy!.ConvertName(property);
}
