using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using MoxApi.Mail.Addresses;

namespace MoxApi.Mail.Smtp.Grammar;

/// <summary>The argument of EHLO and HELO: a domain or an address literal (RFC 5321 §4.1.1.1, §4.1.3).</summary>
internal static class HelloGrammar
{
    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:[]");

    public static bool TryParse(
        bool extended, string name, SmtpGrammarOptions options, [NotNullWhen(true)] out SmtpCommand? command, [NotNullWhen(false)] out SmtpReply? fault)
    {
        command = null;
        if (name.Length == 0) return Faults.Syntax("Please say who you are: a domain or an address literal is missing.", out fault);
        if (name.Length > 255) return Faults.Syntax("The name is too long.", out fault);
        // RFC 6531 §3.7.1 keeps U-labels out of EHLO. Many clients give names that are no domain ("DESKTOP_1", "192.0.2.1"); what cannot
        // harm a trace field is taken, since nothing is decided by it.
        if (name.AsSpan().ContainsAnyExcept(NameCharacters)) return Faults.Syntax("That is neither a domain nor an address literal.", out fault);
        if (options.Pedantic && !IsLiteral(name) && !MailDomain.TryParse(name, out _, out _))
            return Faults.Syntax("That is neither a domain nor an address literal.", out fault);
        command = new HelloCommand(extended, name);
        fault = null;
        return true;
    }

    private static bool IsLiteral(string name)
    {
        if (name is not ['[', .., ']']) return false;
        var inner = name[1..^1];
        return inner.StartsWith("IPv6:", StringComparison.OrdinalIgnoreCase)
            ? IPAddress.TryParse(inner.AsSpan(5), out var six) && six.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6
            : inner.Split('.').Length == 4 && IPAddress.TryParse(inner, out _);
    }
}
