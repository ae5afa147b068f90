using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using MoxApi.Mail.Smtp.Client;

namespace MoxApi.Delivery.Outcomes;

/// <summary>Where and how an attempt took place, for all the recipients that took part in it.</summary>
/// <param name="At">When it began.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="Host">The name of the mail server, when one was reached or tried.</param>
/// <param name="Address">Its address.</param>
/// <param name="Tls">What was negotiated; absent in clear.</param>
/// <param name="Steps">The conversation.</param>
internal sealed record AttemptRecord(DateTimeOffset At, TimeSpan Duration, string? Host, IPAddress? Address, SmtpTlsSession? Tls, IReadOnlyList<SmtpStep> Steps)
{
    /// <summary>The conversation as it is stored and shown: steps with their reply and latency.</summary>
    public string Conversation() => JsonSerializer.Serialize(Steps, ConversationJson.Default.IReadOnlyListSmtpStep);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IReadOnlyList<SmtpStep>))]
internal sealed partial class ConversationJson : JsonSerializerContext;
