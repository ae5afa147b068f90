using System.Text;

namespace MoxApi.Webhooks.Posting;

/// <summary>The beginning of an endpoint's answer, for its owner to see what went wrong.</summary>
internal static class AnswerText
{
    private const int MostOctets = 1024;
    private const int MostCharacters = 400;

    // The status is known: its text is not worth a slot for long.
    private static readonly TimeSpan ReadTime = TimeSpan.FromSeconds(2);

    /// <summary>Reads up to <see cref="MostOctets"/>, as far as they come soon.</summary>
    public static async Task<string> ReadAsync(HttpResponseMessage answer, TimeProvider time, CancellationToken cancel)
    {
        using var soon = new CancellationTokenSource(ReadTime, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(soon.Token, cancel);
        var octets = new byte[MostOctets];
        var length = 0;
        try
        {
            await using var content = await answer.Content.ReadAsStreamAsync(either.Token);
            while (length < octets.Length && await content.ReadAsync(octets.AsMemory(length), either.Token) is var read and > 0) length += read;
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException || (fault is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            // What came is what there is.
        }
        return Encoding.UTF8.GetString(octets, 0, length);
    }

    /// <summary>Cut to length, on one line; PostgreSQL takes no NUL in a text, and a log or terminal no escape sequences.</summary>
    public static string Clean(string text)
    {
        var cut = text.Length <= MostCharacters ? text : text[..MostCharacters];
        // A pair of surrogates that the cut took apart would be no valid text any more.
        if (cut.Length > 0 && char.IsHighSurrogate(cut[^1])) cut = cut[..^1];
        return string.Concat(cut.Select(c => char.IsControl(c) ? ' ' : c)).TrimEnd(' ', ':');
    }
}
