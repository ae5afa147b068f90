using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Writing;

namespace MoxApi.Delivery.Submitting;

/// <summary>Takes a body while it is composed: in memory while small, then in a temporary file whose name is gone at once.</summary>
/// <param name="share">Where its octets are counted until the spool is disposed of, which is to be after the body was stored.</param>
/// <param name="likely">About how many octets there will be: what grows step by step is copied and thrown away at each.</param>
/// <param name="folder">Where the temporary file goes; the system's folder by default.</param>
internal sealed class BodySpool(BytesInFlight.Share share, long likely = 0, string? folder = null) : Stream
{
    private Stream inner = new MemoryStream(likely <= AcceptWriter.AloneAbove ? (int)Math.Max(4096, likely) : 4096);

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => inner.Length;

    public override long Position
    {
        get => inner.Position;
        set => throw new NotSupportedException();
    }

    /// <summary>Hands the body over; the spool is empty then.</summary>
    public BodyContent Complete()
    {
        var body = inner is MemoryStream memory ? new BodyContent(memory.GetBuffer().AsMemory(0, (int)memory.Length)) : new BodyContent(inner);
        inner = Null;
        return body;
    }

    /// <exception cref="NoRoomException">Too much is in flight, or the disk is full or broken.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        var length = inner.Length + buffer.Length;
        var small = inner is MemoryStream && length <= AcceptWriter.AloneAbove;
        share.Keep(small ? length : 0, small ? 0 : length);
        try
        {
            if (!small && inner is MemoryStream memory) inner = ToFile(memory);
            inner.Write(buffer);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new NoRoomException("The temporary file of a message cannot be written.", fault);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    // A write to memory or to the page cache: there is nothing to wait for.
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        Write(buffer.AsSpan(offset, count));
        return Task.CompletedTask;
    }

    public override void Flush() => inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            share.Dispose();
        }
        base.Dispose(disposing);
    }

    private FileStream ToFile(MemoryStream memory)
    {
        // Unbuffered: a full disk must show at the write, not when the stream is closed.
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Delete,
            Options = FileOptions.DeleteOnClose,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(Path.Combine(folder ?? Path.GetTempPath(), $"moxapi-{Path.GetRandomFileName()}"), options);
        // On Unix the name can go at once, so that even a killed program leaves nothing.
        if (!OperatingSystem.IsWindows()) File.Delete(file.Name);
        memory.WriteTo(file);
        return file;
    }
}
