using System.Security.Cryptography;

namespace MoxApi.Api.Messages.Reading;

/// <summary>Copies streams into a spool, one file after the other, with one small buffer.</summary>
internal sealed class SpoolWriter(AttachmentSpool spool) : IDisposable
{
    private readonly byte[] _buffer = new byte[32 * 1024];
    private readonly IncrementalHash _digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Copies a stream to its end.</summary>
    public async Task<SpooledFile> WriteAsync(Stream stream, CancellationToken cancellationToken)
    {
        var start = spool.Length;
        while (await stream.ReadAsync(_buffer, cancellationToken) is > 0 and var count)
        {
            _digest.AppendData(_buffer, 0, count);
            spool.Write(_buffer.AsSpan(0, count));
        }
        return new SpooledFile(spool, start, spool.Length - start, _digest.GetHashAndReset());
    }

    public void Dispose() => _digest.Dispose();
}
