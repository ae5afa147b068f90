namespace MoxApi.Mail.Dkim;

/// <summary>Where a field of a header block stands: its name, and all of it with its folded lines and the last CRLF.</summary>
internal readonly record struct HeaderField(int Start, int NameLength, int Length)
{
    /// <summary>Finds the fields of a block that may end with the empty line before the body.</summary>
    public static List<HeaderField> Find(ReadOnlySpan<byte> header)
    {
        var fields = new List<HeaderField>(16);
        for (var start = 0; start < header.Length;)
        {
            var end = EndOfField(header, start);
            var colon = header[start..end].IndexOf((byte)':');
            if (colon < 0) break; // The empty line.
            fields.Add(new HeaderField(start, header.Slice(start, colon).TrimEnd(" \t"u8).Length, end - start));
            start = end;
        }
        return fields;
    }

    /// <summary>The field's name as it is written.</summary>
    public ReadOnlySpan<byte> Name(ReadOnlySpan<byte> header) => header.Slice(Start, NameLength);

    /// <summary>All of the field.</summary>
    public ReadOnlySpan<byte> All(ReadOnlySpan<byte> header) => header.Slice(Start, Length);

    // RFC 5322 §2.2.3: a line that begins with white space belongs to the field before it.
    private static int EndOfField(ReadOnlySpan<byte> header, int start)
    {
        var end = start;
        while (true)
        {
            var line = header[end..].IndexOf("\r\n"u8);
            if (line < 0) return header.Length;
            end += line + 2;
            if (end >= header.Length || header[end] is not ((byte)' ' or (byte)'\t')) return end;
        }
    }
}
