namespace MoxApi.Api.Messages.Reading;

/// <summary>A decoded file in a spool.</summary>
/// <param name="Spool">What holds it; the file can be read until the spool is disposed of.</param>
/// <param name="Offset">Where it begins there.</param>
/// <param name="Length">Its octets.</param>
/// <param name="Sha256">Its digest, by which two requests are found to be the same.</param>
internal sealed record SpooledFile(AttachmentSpool Spool, long Offset, long Length, ReadOnlyMemory<byte> Sha256)
{
    /// <summary>Opens the file for reading; several streams may be open at a time.</summary>
    public Stream OpenRead() => new SpoolStream(this);

    private sealed class SpoolStream(SpooledFile file) : Stream
    {
        private long _position;

        public override bool CanRead => true;
        public override bool CanSeek => true;
        public override bool CanWrite => false;
        public override long Length => file.Length;

        public override long Position
        {
            get => _position;
            set
            {
                ArgumentOutOfRangeException.ThrowIfNegative(value);
                _position = value;
            }
        }

        public override int Read(Span<byte> buffer)
        {
            var left = file.Length - _position;
            if (left <= 0 || buffer.Length == 0) return 0;
            var count = file.Spool.Read(buffer[..(int)Math.Min(buffer.Length, left)], file.Offset + _position);
            _position += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        // Memory, or a file that was just written and is in the page cache: there is nothing to wait for.
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled<int>(cancellationToken) : ValueTask.FromResult(Read(buffer.Span));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override long Seek(long offset, SeekOrigin origin) => Position = offset + origin switch
        {
            SeekOrigin.Begin => 0,
            SeekOrigin.Current => _position,
            _ => file.Length,
        };

        public override void Flush()
        {
        }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
