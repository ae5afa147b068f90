using System.Text;

namespace MoxApi.Bench.Loading;

/// <summary>
/// Octets made once, of which only some digits change from message to message, so that composing the load costs nothing: <c>{number}</c> stands for
/// the message's number in eight digits and <c>{to}</c> for its destination domain's in four, both as wide as their digits.
/// </summary>
internal sealed class Template
{
    private const string Number = "{number}";
    private const string Domain = "{to}";

    private readonly byte[] octets;
    private readonly List<(int At, int Width, int Text)> places = [];

    /// <param name="texts">Each with its places: those of the first take the message's own number, those of the next the number after it, and so on.</param>
    public Template(params IReadOnlyList<string> texts)
    {
        octets = Encoding.UTF8.GetBytes(string.Concat(texts));
        var at = 0;
        for (var text = 0; text < texts.Count; text++)
        {
            var part = Encoding.UTF8.GetBytes(texts[text]);
            Find(part, Number, at, text);
            Find(part, Domain, at, text);
            at += part.Length;
        }
    }

    /// <summary>The octets' number.</summary>
    public int Length => octets.Length;

    /// <summary>A copy to fill, for one user.</summary>
    public byte[] Copy() => [.. octets];

    /// <summary>Writes the digits of a message into a copy.</summary>
    /// <param name="copy">From <see cref="Copy"/>.</param>
    /// <param name="number">The message's number.</param>
    /// <param name="domains">Messages go to so many domains in turn.</param>
    public void Fill(byte[] copy, int number, int domains)
    {
        foreach (var (at, width, text) in places)
        {
            var digits = width == Number.Length ? number + text : (number + text) % domains;
            for (var place = at + width - 1; place >= at; place--, digits /= 10) copy[place] = (byte)('0' + (digits % 10));
        }
    }

    private void Find(byte[] part, string name, int offset, int text)
    {
        var sought = Encoding.UTF8.GetBytes(name);
        for (var at = part.AsSpan().IndexOf(sought); at >= 0;)
        {
            places.Add((offset + at, sought.Length, text));
            var next = part.AsSpan(at + 1).IndexOf(sought);
            at = next < 0 ? -1 : at + 1 + next;
        }
    }
}
