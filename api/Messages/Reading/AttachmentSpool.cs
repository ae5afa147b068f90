using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using MoxApi.Migrations.Writing;

namespace MoxApi.Api.Messages.Reading;

/// <summary>
/// Keeps the decoded files of one request: in memory while they are small together, else in one temporary file that only this process can
/// open. What was written can be read any number of times, until the request ends.
/// </summary>
/// <param name="folder">Where the temporary file goes.</param>
/// <param name="share">Where what is kept of the request is counted, until it ends.</param>
internal sealed class AttachmentSpool(string folder, BytesInFlight.Share share) : IDisposable
{
    /// <summary>The octets kept in memory.</summary>
    public const int MemoryLimit = 256 * 1024;

    private byte[] _memory = [];
    private long _elsewhere;
    private SafeFileHandle? _file;

    /// <summary>The octets written.</summary>
    public long Length { get; private set; }

    /// <summary>Whether a temporary file is in use.</summary>
    public bool OnDisk => _file is not null;

    /// <summary>Counts octets of the request that are kept elsewhere.</summary>
    /// <exception cref="NoRoomException">Too much is in flight.</exception>
    public void Count(int octets)
    {
        _elsewhere += octets;
        Keep(Length);
    }

    /// <exception cref="NoRoomException">Too much is in flight, or the disk is full or broken: nothing can be accepted now.</exception>
    public void Write(ReadOnlySpan<byte> octets)
    {
        Keep(Length + octets.Length);
        try
        {
            if (_file is null && Length + octets.Length > MemoryLimit) MoveToFile();
            if (_file is not null) RandomAccess.Write(_file, octets, Length);
            else Remember(octets);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new NoRoomException("The temporary file of a request cannot be written.", fault);
        }
        Length += octets.Length;
    }

    /// <summary>Reads what was written, from an offset on; 0 at the end.</summary>
    public int Read(Span<byte> buffer, long offset)
    {
        if (_file is not null) return RandomAccess.Read(_file, buffer, offset);
        var count = (int)Math.Min(buffer.Length, Length - offset);
        _memory.AsSpan((int)offset, count).CopyTo(buffer);
        return count;
    }

    public void Dispose()
    {
        _file?.Dispose();
        ReturnMemory();
        share.Dispose();
    }

    private void Keep(long length)
    {
        var small = length <= MemoryLimit;
        share.Keep(_elsewhere + (small ? length : 0), small ? 0 : length);
    }

    private void Remember(ReadOnlySpan<byte> octets)
    {
        var length = (int)Length;
        if (length + octets.Length > _memory.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(length + octets.Length, _memory.Length * 2));
            _memory.AsSpan(0, length).CopyTo(larger);
            ReturnMemory();
            _memory = larger;
        }
        octets.CopyTo(_memory.AsSpan(length));
    }

    private void MoveToFile()
    {
        _file = Open(Path.Combine(folder, $"moxapi-{RandomNumberGenerator.GetHexString(32, lowercase: true)}.spool"));
        RandomAccess.Write(_file, _memory.AsSpan(0, (int)Length), 0);
        ReturnMemory();
    }

    // Without a name the file goes with the last handle, also when the process is killed. Windows keeps names of open files, and has no modes.
    private static SafeFileHandle Open(string path)
    {
        if (OperatingSystem.IsWindows()) return File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose);
        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var stream = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, BufferSize = 0, UnixCreateMode = OwnerOnly });
        File.Delete(path);
        return stream.SafeFileHandle;
    }

    private void ReturnMemory()
    {
        // Cleared: the next renter must not find a stranger's file.
        if (_memory.Length > 0) ArrayPool<byte>.Shared.Return(_memory, clearArray: true);
        _memory = [];
    }
}
