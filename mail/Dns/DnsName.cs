namespace MoxApi.Mail.Dns;

/// <summary>Names as DNS has them: any printable ASCII in labels, not only host names, since underscores and worse are out there.</summary>
internal static class DnsName
{
    /// <summary>Lower case without the trailing dot.</summary>
    public static string Normalize(string name) => (name.EndsWith('.') ? name[..^1] : name).ToLowerInvariant();

    /// <summary>Whether a normalized name can be asked for (RFC 1035 §2.3.4: labels of 1 to 63 octets, 253 characters in all).</summary>
    public static bool CanBeAsked(string name)
    {
        if (name.Length is 0 or > 253) return false;
        foreach (var label in name.AsSpan().Split('.'))
        {
            var (start, length) = label.GetOffsetAndLength(name.Length);
            if (length is 0 or > 63 || name.AsSpan(start, length).ContainsAnyExceptInRange('!', '~')) return false;
        }
        return !name.Contains('\\', StringComparison.Ordinal);
    }
}
