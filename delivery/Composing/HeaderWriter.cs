using System.Text;
using MoxApi.Mail.Addresses;

namespace MoxApi.Delivery.Composing;

/// <summary>Writes header fields, folded at 78 columns where there is a space to fold at (RFC 5322 §2.1.1, §2.2.3).</summary>
internal sealed class HeaderWriter
{
    private const int Width = 78;

    // RFC 5322 §2.1.1: 998 at most, and the name and some punctuation share the line.
    private const int LongestWord = 850;

    private readonly StringBuilder output = new(1024);
    private int column;

    /// <summary>All fields so far.</summary>
    public override string ToString() => output.ToString();

    /// <summary>A field of plain text; what is not ASCII, or would not arrive as it is, becomes encoded words.</summary>
    public void Text(string name, string value)
    {
        Begin(name);
        if (value.Length > 0)
        {
            var asIs = CanStandAsIs(value);
            if (!asIs && column > Width / 2) NewLine();
            output.Append(' ');
            column++;
            if (asIs) Fold(value);
            else EncodedWords.Append(output, value, column);
        }
        End();
    }

    /// <summary>A field of addresses.</summary>
    public void Mailboxes(string name, IReadOnlyList<Mailbox> mailboxes)
    {
        Begin(name);
        for (var n = 0; n < mailboxes.Count; n++)
        {
            var hasName = !string.IsNullOrEmpty(mailboxes[n].DisplayName);
            if (hasName) DisplayName(mailboxes[n].DisplayName!);
            // RFC 6532 §3.2: an address with a local part outside ASCII has no other form; any other has A-labels, which all servers take.
            var address = mailboxes[n].Address.NeedsSmtpUtf8 ? mailboxes[n].Address.ToString() : mailboxes[n].Address.ToAscii();
            Word($"{(hasName ? "<" : "")}{address}{(hasName ? ">" : "")}{(n + 1 < mailboxes.Count ? "," : "")}");
        }
        End();
    }

    /// <summary>A field of words that are ASCII and not to be changed, such as message ids.</summary>
    public void Words(string name, params IReadOnlyList<string> words)
    {
        Begin(name);
        foreach (var word in words) Word(word);
        End();
    }

    private static bool CanStandAsIs(string value)
    {
        // RFC 2047 would decode what looks like an encoded word; readers trim spaces at the ends.
        if (!Ascii.IsValid(value) || value[0] == ' ' || value[^1] == ' ' || value.Contains("=?", StringComparison.Ordinal)) return false;
        var start = 0;
        for (var end = NextFold(value, 0); start < value.Length; start = end, end = NextFold(value, start))
        {
            if (end - start > LongestWord) return false;
        }
        return true;
    }

    /// <summary>Where the next word with the spaces before it ends.</summary>
    private static int NextFold(string value, int start)
    {
        var end = start;
        while (end < value.Length && value[end] == ' ') end++;
        while (end < value.Length && value[end] != ' ') end++;
        return end;
    }

    private static bool IsAtomText(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-/=?^_`{|}~ ".Contains(c, StringComparison.Ordinal);

    private void Begin(string name)
    {
        output.Append(name).Append(':');
        column = name.Length + 1;
    }

    private void End() => output.Append("\r\n");

    private void Fold(string value)
    {
        int end;
        for (var start = 0; start < value.Length; start = end)
        {
            end = NextFold(value, start);
            if (column + end - start > Width && start > 0) NewLine();
            output.Append(value, start, end - start);
            column += end - start;
        }
    }

    private void Word(string word)
    {
        if (column + 1 + word.Length > Width) NewLine();
        output.Append(' ').Append(word);
        column += 1 + word.Length;
    }

    private void DisplayName(string name)
    {
        if (name.Length > 60 || !CanStandAsIs(name) || name.Contains("  ", StringComparison.Ordinal))
        {
            if (column > Width / 2) NewLine();
            output.Append(' ');
            column = EncodedWords.Append(output, name, column + 1);
        }
        else if (name.All(IsAtomText)) Word(name);
        else Word($"\"{name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"");
    }

    private void NewLine()
    {
        output.Append("\r\n");
        column = 0;
    }
}
