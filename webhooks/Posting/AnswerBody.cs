using System.Buffers;
using System.Text;

namespace MoxApi.Webhooks.Posting;

/// <summary>The beginning of an endpoint's answer, for its owner to see what went wrong.</summary>
internal static class AnswerBody
{
    /// <summary>The most that is read and kept.</summary>
    public const int MostOctets = 64 << 10;

    private const int MostOctetsInError = 1024;
    private const int MostCharacters = 400;

    // The status is known: what follows is not worth a slot for long.
    private static readonly TimeSpan ReadTime = TimeSpan.FromSeconds(2);

    /// <summary>Reads up to <see cref="MostOctets"/> as they come, packed where they are packed, as far as they come soon.</summary>
    public static async Task<byte[]> ReadAsync(HttpContent content, TimeProvider time, CancellationToken stop)
    {
        using var soon = new CancellationTokenSource(ReadTime, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(soon.Token, stop);
        var octets = ArrayPool<byte>.Shared.Rent(MostOctets);
        var length = 0;
        try
        {
            await using var stream = await content.ReadAsStreamAsync(either.Token);
            while (length < MostOctets && await stream.ReadAsync(octets.AsMemory(length, MostOctets - length), either.Token) is var read and > 0) length += read;
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException or OperationCanceledException)
        {
            // What came is what there is.
        }
        var body = octets[..length];
        ArrayPool<byte>.Shared.Return(octets);
        return body;
    }

    /// <summary>The beginning of a body as text.</summary>
    public static string Beginning(byte[] body) => Encoding.UTF8.GetString(body, 0, Math.Min(body.Length, MostOctetsInError));

    /// <summary>Cut to length, on one line; PostgreSQL takes no NUL in a text, and a log or terminal no escape sequences.</summary>
    public static string Clean(string text)
    {
        var cut = text.Length <= MostCharacters ? text : text[..MostCharacters];
        // A pair of surrogates that the cut took apart would be no valid text any more.
        if (cut.Length > 0 && char.IsHighSurrogate(cut[^1])) cut = cut[..^1];
        return string.Concat(cut.Select(c => char.IsControl(c) ? ' ' : c)).TrimEnd(' ', ':');
    }
}
