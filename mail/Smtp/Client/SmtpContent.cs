namespace MoxApi.Mail.Smtp.Client;

/// <summary>
/// The content of a message: its header and, apart from it, its body, in memory or streamed. Line ends are CRLF; a lone CR or LF is repaired
/// on its way out. Nothing is sent twice, so a stream is read once for each transaction.
/// </summary>
public sealed class SmtpContent
{
    private readonly ReadOnlyMemory<byte> _body;
    private readonly Func<CancellationToken, IAsyncEnumerable<ReadOnlyMemory<byte>>>? _chunks;

    /// <summary>Content in memory.</summary>
    /// <param name="header">The header with the empty line that ends it.</param>
    /// <param name="body">The body, which may be empty.</param>
    public SmtpContent(ReadOnlyMemory<byte> header, ReadOnlyMemory<byte> body)
    {
        Header = header;
        _body = body;
        Size = (long)header.Length + body.Length;
    }

    /// <summary>Content whose body is streamed.</summary>
    /// <param name="header">The header with the empty line that ends it.</param>
    /// <param name="bodySize">The body's size in octets; a stream that yields another number ends the connection without the final dot.</param>
    /// <param name="chunks">Opens the stream; a chunk need only live until the next is asked for.</param>
    public SmtpContent(ReadOnlyMemory<byte> header, long bodySize, Func<CancellationToken, IAsyncEnumerable<ReadOnlyMemory<byte>>> chunks)
    {
        Header = header;
        _chunks = chunks;
        Size = header.Length + bodySize;
    }

    /// <summary>Header and body together, in octets, as SIZE declares it (RFC 1870 §4).</summary>
    public long Size { get; }

    internal ReadOnlyMemory<byte> Header { get; }

    /// <summary>The header, then the body.</summary>
    internal async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        yield return Header;
        if (_chunks is null)
        {
            yield return _body;
            yield break;
        }
        await foreach (var chunk in _chunks(stop).WithCancellation(stop)) yield return chunk;
    }
}
