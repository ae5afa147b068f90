namespace MoxApi.Api.Json;

/// <summary>Guesses which name was meant.</summary>
internal static class Spelling
{
    private const int MaxLength = 32;

    /// <summary>The known name nearest to what was written, where one is near: other case or word marks, or an edit or two away.</summary>
    public static string? Nearest(string written, IEnumerable<string> known)
    {
        var plain = Plain(written);
        if (plain.Length is 0 or > MaxLength) return null;
        return known
            .Select(name => (name, distance: Distance(plain, Plain(name))))
            .Where(guess => guess.distance <= Math.Max(guess.name.Length, plain.Length) / 3)
            .OrderBy(guess => guess.distance)
            .Select(guess => guess.name)
            .FirstOrDefault();
    }

    private static string Plain(string name) => string.Concat(name.Take(MaxLength + 1).Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();

    // Levenshtein's distance, one row at a time; both texts are short.
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}
