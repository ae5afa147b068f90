using System.Text.Json.Serialization;

namespace MoxApi.OpenApi.Accounts;

/// <summary>What is to change of an account. What is left out stays.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangeAccountRequest : AccountSettings
{
    /// <summary>A new name, unique in the installation, of 1 to 64 characters.</summary>
    /// <example>acme</example>
    public string? Name { get; init; }

    /// <summary>
    /// Fields to take back to what an account has that says nothing about them: <c>password</c> (none), <c>returnPath</c>, <c>retrySchedule</c>,
    /// <c>queueHours</c>, <c>pauseBouncePercent</c>, <c>pauseComplaintPercent</c>, <c>keepContentDays</c>, <c>keepMessageDays</c>, <c>keepWebhookDays</c>.
    /// </summary>
    /// <example>["keepContentDays"]</example>
    public IReadOnlyList<string>? Reset { get; init; }
}
