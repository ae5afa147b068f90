using System.Buffers;
using System.Runtime.InteropServices;
using MoxApi.Migrations.Writing;

namespace MoxApi.Inbound.Smtp;

/// <summary>A message while it arrives and is stored: in memory while small, then in a temporary file that no crash leaves behind.</summary>
/// <param name="folder">Where the temporary file goes.</param>
/// <param name="share">Where its octets are counted, as long as it lives.</param>
internal sealed class MessageSpool(string folder, BytesInFlight.Share share) : IAsyncDisposable
{
    /// <summary>The most octets in memory; about twice as many for the moment of a write.</summary>
    internal const int MaxOctetsInMemory = 64 << 10;

    private readonly ArrayBufferWriter<byte> memory = new();
    private FileStream? file;

    /// <summary>Where octets are added; after each batch, <see cref="SettleAsync"/> follows.</summary>
    public IBufferWriter<byte> Writer => memory;

    /// <summary>The octets so far.</summary>
    public long Length => memory.WrittenCount + (file?.Length ?? 0);

    /// <summary>Whether the message went to a file.</summary>
    internal bool IsOnDisk => file is not null;

    /// <summary>Counts what was added, and moves what is too much for memory into the file.</summary>
    /// <exception cref="IOException">The disk is full, the folder cannot be written, or too much is in flight.</exception>
    public async ValueTask SettleAsync(CancellationToken cancellationToken)
    {
        var small = memory.WrittenCount <= MaxOctetsInMemory;
        share.Keep(small ? memory.WrittenCount : 0, small ? file?.Length ?? 0 : Length);
        if (small) return;
        file ??= CreateFile();
        await file.WriteAsync(memory.WrittenMemory, cancellationToken);
        memory.ResetWrittenCount();
    }

    /// <summary>Forgets everything: the message was refused.</summary>
    public void Discard()
    {
        memory.ResetWrittenCount();
        try
        {
            file?.SetLength(0);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // On a disk that cannot be written any more, as when it was this that refused the message. They go with the file.
        }
        share.Keep(0, 0);
    }

    /// <summary>Reads the message from its beginning. One reader at a time; the stream's life ends with the spool's.</summary>
    /// <exception cref="IOException">The disk is full.</exception>
    public async ValueTask<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        if (file is null) return InMemory();
        file.Position = file.Length;
        await file.WriteAsync(memory.WrittenMemory, cancellationToken);
        memory.ResetWrittenCount();
        await file.FlushAsync(cancellationToken);
        file.Position = 0;
        return file;
    }

    public ValueTask DisposeAsync()
    {
        share.Dispose();
        return file?.DisposeAsync() ?? ValueTask.CompletedTask;
    }

    private MemoryStream InMemory() => MemoryMarshal.TryGetArray(memory.WrittenMemory, out var octets) && octets.Array is not null
        ? new MemoryStream(octets.Array, octets.Offset, octets.Count, writable: false)
        : new MemoryStream([], writable: false);

    private FileStream CreateFile()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Delete,
            BufferSize = 0,
            Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(Path.Combine(folder, $"moxapi-{Path.GetRandomFileName()}"), options);
        // On Unix the name can go at once, so that even kill -9 leaves nothing.
        if (!OperatingSystem.IsWindows()) File.Delete(file.Name);
        return file;
    }
}
