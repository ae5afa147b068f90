using System.Globalization;

namespace MoxApi.Mail.Smtp.Client;

/// <summary>What a server offers in its answer to EHLO (RFC 5321 §4.1.1.1); after HELO, nothing.</summary>
public sealed record SmtpCapabilities
{
    /// <summary>The largest message in octets; null where the server gives no limit, also by <c>SIZE 0</c> (RFC 1870 §4).</summary>
    public long? MaxSize { get; init; }

    /// <summary>SIZE is offered, with or without a limit.</summary>
    public bool Size { get; init; }

    /// <summary>8BITMIME (RFC 6152).</summary>
    public bool EightBitMime { get; init; }

    /// <summary>SMTPUTF8 (RFC 6531).</summary>
    public bool SmtpUtf8 { get; init; }

    /// <summary>PIPELINING (RFC 2920).</summary>
    public bool Pipelining { get; init; }

    /// <summary>ENHANCEDSTATUSCODES (RFC 2034).</summary>
    public bool EnhancedStatusCodes { get; init; }

    /// <summary>STARTTLS (RFC 3207).</summary>
    public bool StartTls { get; init; }

    /// <summary>REQUIRETLS (RFC 8689).</summary>
    public bool RequireTls { get; init; }

    /// <summary>The most recipients of a transaction, 1 or more, where LIMITS gives RCPTMAX (RFC 9422 §4.2).</summary>
    public int? MaxRecipients { get; init; }

    /// <summary>The most transactions of a connection, 1 or more, where LIMITS gives MAILMAX (RFC 9422 §4.1).</summary>
    public int? MaxTransactions { get; init; }

    /// <summary>What HELO gives.</summary>
    internal static SmtpCapabilities None { get; } = new();

    internal static SmtpCapabilities Parse(SmtpReply ehlo)
    {
        var capabilities = None;
        var lines = ehlo.Text.Split('\n');
        // RFC 5321 §4.1.1.1: the first line has the server's name; the others a keyword each, in any case, with parameters.
        foreach (var line in lines.AsSpan(1))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 0) capabilities = capabilities.With(words[0].ToUpperInvariant(), words.AsSpan(1));
        }
        return capabilities;
    }

    private SmtpCapabilities With(string keyword, ReadOnlySpan<string> parameters) => keyword switch
    {
        // RFC 1870 §4: 0 stands for no fixed maximum, and so does a missing number.
        "SIZE" => this with { Size = true, MaxSize = parameters.Length > 0 && TryNumber(parameters[0], out var size) && size > 0 ? size : null },
        "8BITMIME" => this with { EightBitMime = true },
        "SMTPUTF8" => this with { SmtpUtf8 = true },
        "PIPELINING" => this with { Pipelining = true },
        "ENHANCEDSTATUSCODES" => this with { EnhancedStatusCodes = true },
        "STARTTLS" => this with { StartTls = true },
        "REQUIRETLS" => this with { RequireTls = true },
        "LIMITS" => WithLimits(parameters),
        _ => this,
    };

    private SmtpCapabilities WithLimits(ReadOnlySpan<string> limits)
    {
        var result = this;
        foreach (var limit in limits)
        {
            // RFC 9422 §3: name=value; RFC 9422 §4: a value is 1 or more, so another says nothing.
            var at = limit.IndexOf('=', StringComparison.Ordinal);
            if (at < 0 || !TryNumber(limit[(at + 1)..], out var number) || number is < 1 or > int.MaxValue) continue;
            if (limit.AsSpan(0, at).Equals("RCPTMAX", StringComparison.OrdinalIgnoreCase)) result = result with { MaxRecipients = (int)number };
            if (limit.AsSpan(0, at).Equals("MAILMAX", StringComparison.OrdinalIgnoreCase)) result = result with { MaxTransactions = (int)number };
        }
        return result;
    }

    private static bool TryNumber(string text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
