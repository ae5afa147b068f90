using System.Globalization;
using MoxApi.Mail.Smtp;

namespace MoxApi.Inbound.Smtp;

/// <summary>What a recipient of the sandbox does, by the end of its local part.</summary>
/// <param name="Reply">The refusal of its RCPT; null where it is taken.</param>
/// <param name="Hangs">Whether its RCPT is not answered at all.</param>
internal readonly record struct SandboxBehaviour(SmtpReply? Reply = null, bool Hangs = false);

/// <summary>
/// The failing addresses of the sandbox, for trying out what an app does when mail fails. Only the end of the local part counts, without
/// regard to case, so that there are as many of each as anyone needs: <c>u550</c>, <c>jane-temperror</c>.
/// </summary>
internal static class SandboxAddresses
{
    /// <summary>What the recipient with this local part does.</summary>
    public static SandboxBehaviour Of(string localPart)
    {
        if (EndsWith(localPart, "temperror")) return new(new SmtpReply(451, new(4, 3, 0), "This address always fails for now."));
        if (EndsWith(localPart, "permerror")) return new(new SmtpReply(550, new(5, 0, 0), "This address always fails for good."));
        if (EndsWith(localPart, "timeout")) return new(Hangs: true);
        if (TryCode(localPart, out var code)) return new(new SmtpReply(code, EnhancedFor(code), $"This address always answers {code}."));
        return default;
    }

    private static bool EndsWith(string localPart, string suffix) => localPart.EndsWith(suffix, StringComparison.OrdinalIgnoreCase);

    private static bool TryCode(string localPart, out int code)
    {
        code = 0;
        return localPart.Length >= 3
            && int.TryParse(localPart.AsSpan(localPart.Length - 3), NumberStyles.None, CultureInfo.InvariantCulture, out code)
            && code is >= 400 and <= 599;
    }

    // The codes of RFC 5321 §4.2.3 with what RFC 3463 §3 and its registry pair them with; others stay undefined (X.0.0).
    private static EnhancedStatusCode EnhancedFor(int code) => code switch
    {
        421 => new(4, 3, 2),
        450 => new(4, 2, 1),
        451 => new(4, 3, 0),
        452 => new(4, 3, 1),
        454 => new(4, 7, 0),
        500 => new(5, 5, 2),
        501 => new(5, 5, 4),
        502 or 503 => new(5, 5, 1),
        504 => new(5, 5, 4),
        521 => new(5, 3, 2),
        530 => new(5, 7, 0),
        535 => new(5, 7, 8),
        550 => new(5, 1, 1),
        551 => new(5, 1, 6),
        552 => new(5, 2, 2),
        553 => new(5, 1, 3),
        555 => new(5, 5, 4),
        556 => new(5, 1, 10),
        _ => new(code / 100, 0, 0),
    };
}
