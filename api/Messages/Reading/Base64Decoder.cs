using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace MoxApi.Api.Messages.Reading;

/// <summary>
/// Decodes one file's base64 as its characters arrive, into a spool. RFC 4648 §4 with its padding; line breaks, tabs and spaces between
/// characters are ignored, as RFC 2045 §6.8 has it, because many encoders write them.
/// </summary>
internal sealed class Base64Decoder(AttachmentSpool spool) : IDisposable
{
    // A multiple of 4, so that a full buffer is whole groups.
    private const int GroupedLength = 16 * 1024;

    private static readonly SearchValues<byte> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"u8);

    private readonly byte[] _grouped = new byte[GroupedLength];
    private readonly byte[] _decoded = new byte[GroupedLength / 4 * 3];
    private readonly IncrementalHash _digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _start = spool.Length;
    private int _length;
    private int _padding;

    /// <summary>The first thing that is wrong, as a sentence for people; what follows it is skipped.</summary>
    public string? Fault { get; private set; }

    /// <summary>Takes the characters at the start that are of the alphabet, and tells how many they are.</summary>
    public int TakeRun(ReadOnlySpan<byte> characters)
    {
        var end = characters.IndexOfAnyExcept(Alphabet);
        var run = end < 0 ? characters : characters[..end];
        if (run.Length > 0 && _padding > 0) Fault ??= "The base64 goes on after its padding.";
        for (var rest = run; Fault is null && rest.Length > 0;)
        {
            var count = Math.Min(rest.Length, GroupedLength - _length);
            rest[..count].CopyTo(_grouped.AsSpan(_length));
            _length += count;
            rest = rest[count..];
            if (_length == GroupedLength) Decode();
        }
        return run.Length;
    }

    /// <summary>Takes a character of any kind.</summary>
    public void Take(char character)
    {
        if (character is ' ' or '\t' or '\r' or '\n') return;
        if (character == '=') _padding++;
        else if (!char.IsAscii(character) || TakeRun([(byte)character]) == 0) Fault ??= Describe(character);
    }

    /// <summary>Ends the file, and makes ready for the next.</summary>
    public SpooledFile Finish()
    {
        if (_padding > 2 || (_length + _padding) % 4 != 0) Fault ??= "The base64 is cut off, or its padding is wrong.";
        if (Fault is null)
        {
            while (_padding-- > 0) _grouped[_length++] = (byte)'=';
            Decode();
        }
        var file = new SpooledFile(spool, _start, spool.Length - _start, _digest.GetHashAndReset());
        (_start, _length, _padding) = (spool.Length, 0, 0);
        return file;
    }

    /// <summary>Forgets the fault of the file before.</summary>
    public void Begin() => Fault = null;

    public void Dispose() => _digest.Dispose();

    private void Decode()
    {
        var status = Base64.DecodeFromUtf8(_grouped.AsSpan(0, _length), _decoded, out _, out var count);
        if (status != OperationStatus.Done) Fault ??= "The last group of the base64 has bits that are no octet.";
        _digest.AppendData(_decoded, 0, count);
        spool.Write(_decoded.AsSpan(0, count));
        _length = 0;
    }

    private static string Describe(char character) => character is '-' or '_'
        ? "The base64 is that of RFC 4648 §4, with + and /, not the one for addresses, with - and _."
        : $"Base64 has no character U+{(int)character:X4}.";
}
