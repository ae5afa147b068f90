using MoxApi.Migrations.Messages;

namespace MoxApi.Delivery.Submitting;

/// <summary>Takes a body while it is composed: in memory while small, then in a temporary file whose name is gone at once.</summary>
internal sealed class BodySpool : Stream
{
    private Stream inner = new MemoryStream(4096);

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

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (inner is MemoryStream memory && memory.Length + buffer.Length > AcceptWriter.AloneAbove) inner = ToFile(memory);
        inner.Write(buffer);
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
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }

    private static FileStream ToFile(MemoryStream memory)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Delete, Options = FileOptions.DeleteOnClose };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(Path.Combine(Path.GetTempPath(), $"moxapi-{Path.GetRandomFileName()}"), options);
        // On Unix the name can go at once, so that even a killed program leaves nothing.
        if (!OperatingSystem.IsWindows()) File.Delete(file.Name);
        memory.WriteTo(file);
        return file;
    }
}
