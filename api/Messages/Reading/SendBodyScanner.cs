using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using MoxApi.Api.Json;
using MoxApi.Api.Problems;

namespace MoxApi.Api.Messages.Reading;

/// <summary>
/// Takes the files out of a send request while its JSON arrives, in pieces of any size. Each string where the shape has a file's content is decoded
/// into the spool, and the number of the file in its message stands in its place in <see cref="Rest"/>, which is parsed as usual afterwards.
/// <para>
/// This follows the JSON only as far as it must to know where it is, and checks nothing: all text but the files' base64 is copied as it is, and
/// a string stands where a string stood, so the rest is valid JSON exactly where the request was, and the scanner saw the request as the parser
/// will see the rest.
/// </para>
/// </summary>
/// <param name="spool">Where the files go.</param>
/// <param name="shape">What kind of request it is.</param>
internal sealed class SendBodyScanner(AttachmentSpool spool, SendBodyShape shape) : IDisposable
{
    /// <summary>The octets of a request.</summary>
    public const long MaxLength = 70 * 1024 * 1024;

    /// <summary>The answer to a longer request.</summary>
    public static Refusal TooLong { get; } = Refusal.TooLarge($"A request has at most {MaxLength / 1024 / 1024} MiB.");

    // What the parser keeps of a token: 12 octets, in a list that grows by doubling, and is there twice while it does.
    private const int TokenOctets = 36;

    // The longest spelling of the names looked for: each of 11 letters as \u0061.
    private const int MaxKey = 66;

    private readonly byte[][] _path = [.. shape.Path.Select(Encoding.UTF8.GetBytes)];
    private readonly ArrayBufferWriter<byte> _rest = new();
    private readonly List<(int RestOffset, long Removed)> _cuts = [];
    private readonly Dictionary<int, ScannedFiles> _files = [];
    private readonly byte[] _key = new byte[MaxKey + 2];
    private readonly int[] _items = new int[shape.Path.Count + 1]; // At each level of the path, the number of the item.
    private FileString? _content;
    private Place _place;
    private ulong _objects;   // One bit per level: whether it is an object.
    private int _depth;
    private int _onPath;      // So many of the open objects and lists, from the outermost, are those of the path.
    private int _keyLength;
    private int _tokens = 1;  // The parser finds no more: each begins an object or list, ends one, or is the first of all or of one, or follows a comma or colon.
    private int _counted;     // So many of them are counted in the spool.
    private bool _keyNext;    // In an object, ahead of a name.
    private bool _nameOnPath; // The name just read is the path's.

    private enum Place
    {
        Between,
        Name,
        NameEscape,
        Text,
        TextEscape,
        Content,
    }

    /// <summary>The request without its files.</summary>
    public ReadOnlyMemory<byte> Rest => _rest.WrittenMemory;

    /// <summary>The files of a message; of a request that is no batch, of the one that there is.</summary>
    public ScannedFiles FilesOf(int message) => _files.TryGetValue(message, out var files) ? files : _files[message] = new ScannedFiles();

    /// <summary>Takes a whole body as it arrives.</summary>
    /// <exception cref="RefusalException">The request is too large, or certainly no JSON.</exception>
    public async Task TakeAllAsync(PipeReader body, CancellationToken cancellationToken)
    {
        long length = 0;
        while (true)
        {
            var result = await body.ReadAsync(cancellationToken);
            try
            {
                length += result.Buffer.Length;
                if (length > MaxLength) throw new RefusalException(TooLong);
                foreach (var piece in result.Buffer) Take(piece.Span);
            }
            finally
            {
                // Also after a refusal: the server reads on, to keep the connection for the next request.
                body.AdvanceTo(result.Buffer.End);
            }
            if (result.IsCompleted) return;
        }
    }

    /// <summary>Takes the next piece of the body.</summary>
    /// <exception cref="RefusalException">The request is too large, or certainly no JSON.</exception>
    public void Take(ReadOnlySpan<byte> piece)
    {
        while (piece.Length > 0)
        {
            piece = piece[(_place == Place.Content ? TakeContent(piece) : TakeStructure(piece))..];
        }
    }

    /// <summary>Where an octet of <see cref="Rest"/> was in the body.</summary>
    public long Position(int restOffset) => restOffset + _cuts.Where(cut => cut.RestOffset <= restOffset).Sum(cut => cut.Removed);

    public void Dispose() => _content?.Dispose();

    /// <summary>Copies JSON up to the next file, or all of it.</summary>
    private int TakeStructure(ReadOnlySpan<byte> piece)
    {
        var i = 0;
        while (i < piece.Length && _place != Place.Content)
        {
            i += _place switch
            {
                Place.Between => TakeToken(piece[i]),
                Place.Text => TakeText(piece[i..]),
                Place.Name => TakeName(piece[i]),
                Place.NameEscape => TakeNameEscape(piece[i]),
                _ => Go(Place.Text),
            };
        }
        // The quote that begins the file's string is not part of the rest.
        Copy(piece[..(_place == Place.Content ? i - 1 : i)]);
        return i;
    }

    private int TakeToken(byte b)
    {
        switch (b)
        {
            case (byte)'"':
                return TakeQuote();
            case (byte)'{' or (byte)'[':
                _tokens += 2;
                Enter(isObject: b == '{');
                break;
            case (byte)'}' or (byte)']':
                _tokens++;
                if (_depth > 0) _depth--;
                _onPath = Math.Min(_onPath, _depth);
                _keyNext = false;
                break;
            case (byte)',':
                _tokens++;
                _keyNext = InObject(_depth);
                if (IsOnPath && !_keyNext) _items[_depth]++;
                break;
            case (byte)':':
                _tokens++;
                _keyNext = false;
                break;
        }
        return 1;
    }

    private int TakeQuote()
    {
        if (_keyNext) _keyLength = 0;
        else if (_nameOnPath && IsOnPath && _depth == _path.Length) BeginContent();
        return Go(_keyNext ? Place.Name : _place == Place.Content ? Place.Content : Place.Text);
    }

    private void Enter(bool isObject)
    {
        // The outermost is always on the path, an item of a list on it too, and else what comes after its name.
        var follows = IsOnPath && (_depth == 0 || _nameOnPath || IsList(_depth));
        _depth++; // Beyond the bits there are, this gets lost; but the parser refuses the rest long before that depth.
        _objects = isObject ? _objects | (1ul << _depth) : _objects & ~(1ul << _depth);
        if (follows && _depth <= _path.Length && isObject != IsList(_depth))
        {
            _onPath = _depth;
            _items[_depth] = 0;
        }
        _nameOnPath = false;
        _keyNext = isObject;
    }

    private bool IsOnPath => _depth == _onPath;

    /// <summary>Whether the path has a list at a level.</summary>
    private bool IsList(int depth) => shape.Path[depth - 1] == SendBodyShape.Item;

    private bool InObject(int depth) => (_objects >> depth & 1) == 1;

    private int TakeText(ReadOnlySpan<byte> piece)
    {
        var end = piece.IndexOfAny((byte)'"', (byte)'\\');
        if (end < 0) return piece.Length;
        _place = piece[end] == '"' ? Place.Between : Place.TextEscape;
        return end + 1;
    }

    private int TakeName(byte b)
    {
        if (b == '"') return EndName();
        Remember(b);
        return Go(b == '\\' ? Place.NameEscape : Place.Name);
    }

    private int TakeNameEscape(byte b)
    {
        Remember(b);
        return Go(Place.Name);
    }

    private void Remember(byte b)
    {
        if (_keyLength <= MaxKey) _key[1 + _keyLength++] = b;
    }

    private int EndName()
    {
        _nameOnPath = IsOnPath && _depth > 0 && NameIs(_path[_depth - 1]);
        return Go(Place.Between);
    }

    /// <summary>Whether the name read has this text, however it is escaped.</summary>
    private bool NameIs(ReadOnlySpan<byte> name)
    {
        if (_keyLength > MaxKey) return false;
        _key[0] = _key[1 + _keyLength] = (byte)'"';
        var reader = new Utf8JsonReader(_key.AsSpan(0, _keyLength + 2));
        try
        {
            return reader.Read() && reader.ValueTextEquals(name);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return false; // No JSON; the parser will say so when it sees the rest.
        }
    }

    private void BeginContent()
    {
        _content ??= new FileString(new Base64Decoder(spool));
        _content.Begin();
        _place = Place.Content;
    }

    private int TakeContent(ReadOnlySpan<byte> piece)
    {
        var count = _content!.Take(piece);
        if (_content.Broken is { } reason) throw Invalid(_content.Length, reason);
        if (_content.Ended) EndContent(_content);
        return count;
    }

    private void EndContent(FileString content)
    {
        // A request with one message has no list of them. Of a list that is too long, the files need not be told apart.
        var message = _path.Length > SendBodyShape.Message.Path.Count ? Math.Min(_items[2], SendBodyShape.MaxMessages) : 0;
        var number = FilesOf(message).Add(content.Finish(), _items[_path.Length - 1], content.Fault);
        Span<byte> standIn = stackalloc byte[16];
        Utf8.TryWrite(standIn, $"\"{number}\"", out var length);
        Copy(standIn[..length]);
        _cuts.Add((_rest.WrittenCount, content.Length + 2 - length));
        _place = Place.Between;
    }

    private void Copy(ReadOnlySpan<byte> octets)
    {
        if (_rest.WrittenCount + octets.Length > shape.MaxRest)
            throw new RefusalException(Refusal.TooLarge($"Without the content of its attachments a request has at most {shape.MaxRest / 1024 / 1024} MiB."));
        if (_tokens > shape.MaxTokens) throw new RefusalException(Refusal.TooLarge($"A request has at most {shape.MaxTokens} names and values."));
        spool.Count(octets.Length + ((_tokens - _counted) * TokenOctets));
        _counted = _tokens;
        _rest.Write(octets);
    }

    private int Go(Place place)
    {
        _place = place;
        return 1;
    }

    /// <summary>The answer to a broken string: the rest ends before its opening quote.</summary>
    private RefusalException Invalid(long offsetInString, string reason)
    {
        var rest = _rest.WrittenSpan;
        var lineStart = rest.LastIndexOf((byte)'\n') + 1;
        var column = Position(rest.Length) + 1 + offsetInString - Position(lineStart) + 1;
        return new RefusalException(JsonBody.Invalid(rest.Count((byte)'\n') + 1, column, reason));
    }
}
