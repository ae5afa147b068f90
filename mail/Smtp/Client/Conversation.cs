namespace MoxApi.Mail.Smtp.Client;

/// <summary>Writes down the steps of a conversation.</summary>
internal sealed class Conversation(TimeProvider time)
{
    private const int MaxText = 1024;

    private readonly List<SmtpStep> _steps = [];

    public IReadOnlyList<SmtpStep> Steps => _steps;

    /// <summary>The time from which a step counts.</summary>
    public long Now => time.GetTimestamp();

    public void Add(string step, long since, SmtpReply reply, string? address = null) =>
        Add(step, since, reply.Code, reply.Enhanced is { } enhanced ? $"{enhanced} {reply.Text}" : reply.Text, address);

    public void Add(string step, long since, int code, string text, string? address = null) =>
        _steps.Add(new SmtpStep(step, code, Shorten(text), (int)time.GetElapsedTime(since).TotalMilliseconds, address));

    /// <summary>A reply may have 64 KiB, and every step is stored: people read the beginning.</summary>
    internal static string Shorten(string text)
    {
        if (text.Length <= MaxText) return text;
        var end = char.IsHighSurrogate(text[MaxText - 2]) ? MaxText - 2 : MaxText - 1;
        return text[..end] + "…";
    }
}
