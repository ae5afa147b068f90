namespace MoxApi.Api.Messages.Reading;

/// <summary>Where a request of a kind has its files, and how large it may be without them.</summary>
/// <param name="Path">The names and, as <see cref="Item"/>, the lists that lead to a file's content. The first is a member of the request.</param>
/// <param name="MaxRest">The octets of the request without its files' content.</param>
/// <param name="MaxTokens">The names, values, braces and brackets of the request: more than a request in order can have.</param>
internal sealed record SendBodyShape(IReadOnlyList<string> Path, int MaxRest, int MaxTokens)
{
    /// <summary>Any item of a list.</summary>
    public const string Item = "*";

    /// <summary>The messages of a batch.</summary>
    public const int MaxMessages = 500;

    private const int MiB = 1024 * 1024;

    // Of tokens, a message in order has some 3,000 at most: 1,000 recipients, 100 files of four members, 100 references, 50 header fields, 50 metadata. The caps are
    // well above that, so that most of what is wrong is named rather than refused for its size.

    /// <summary>One message.</summary>
    public static SendBodyShape Message { get; } = new(["attachments", Item, "content"], 5 * MiB, 100_000);

    /// <summary>A batch: of each message as of one alone, so that 500 messages have 40 KiB of text each.</summary>
    public static SendBodyShape Batch { get; } = new(["messages", Item, .. Message.Path], 20 * MiB, 2_500_000);
}
