namespace MoxApi.Migrations.Messages;

/// <summary>The octets of a body before they are stored: in memory, or in a file that vanishes when it is closed.</summary>
public sealed class BodyContent : IAsyncDisposable
{
    private readonly ReadOnlyMemory<byte> memory;
    private readonly Stream? spool;
    private readonly long start;

    /// <summary>A body in memory.</summary>
    public BodyContent(ReadOnlyMemory<byte> memory)
    {
        this.memory = memory;
        Size = memory.Length;
    }

    /// <summary>A body in a seekable stream, which this takes over.</summary>
    /// <param name="spool">The stream.</param>
    /// <param name="start">Where the body begins in it: after the header, where both are in one file.</param>
    public BodyContent(Stream spool, long start = 0)
    {
        this.spool = spool;
        this.start = start;
        Size = spool.Length - start;
    }

    /// <summary>Octets.</summary>
    public long Size { get; }

    /// <summary>Whether the whole body is in memory.</summary>
    public bool IsInMemory => spool is null;

    /// <summary>The body, where it is in memory.</summary>
    /// <exception cref="InvalidOperationException">It is in a file.</exception>
    public ReadOnlyMemory<byte> Memory => spool is null ? memory : throw new InvalidOperationException("The body is not in memory.");

    /// <summary>Reads the body in chunks of <see cref="Body.ChunkSize"/>, the last one shorter.</summary>
    public async IAsyncEnumerable<byte[]> ChunksAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        if (spool is not null) spool.Position = start;
        for (var at = 0L; at < Size; at += Body.ChunkSize)
        {
            var chunk = new byte[Math.Min(Body.ChunkSize, Size - at)];
            if (spool is null) memory.Span.Slice((int)at, chunk.Length).CopyTo(chunk);
            else await spool.ReadExactlyAsync(chunk, cancel);
            yield return chunk;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => spool?.DisposeAsync() ?? ValueTask.CompletedTask;
}
