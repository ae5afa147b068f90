using MoxApi.Api.Json;

namespace MoxApi.Api.Messages.Reading;

/// <summary>The files that were taken out of one message's JSON.</summary>
internal sealed class ScannedFiles
{
    /// <summary>The files of a message.</summary>
    public const int Max = 100;

    private readonly List<SpooledFile> _files = [];
    private readonly Dictionary<string, string> _faults = [];
    private int _count;

    /// <summary>The files, by the number that stands in their place.</summary>
    public IReadOnlyList<SpooledFile> Files => _files;

    /// <summary>What is wrong with the base64, by pointer into the message.</summary>
    public IReadOnlyDictionary<string, string> Base64Faults => _faults;

    /// <summary>Adds a file, and gives it its number.</summary>
    /// <param name="file">The file.</param>
    /// <param name="attachment">Which of the message's attachments it is.</param>
    /// <param name="fault">What is wrong with its base64.</param>
    public int Add(SpooledFile file, int attachment, string? fault)
    {
        // Too many are named once the rest is parsed; their content is not kept in mind.
        if (_files.Count < Max) _files.Add(file);
        if (fault is not null && _faults.Count < Faults.Limit) _faults.TryAdd(JsonPointer.Member(JsonPointer.Item("/attachments", attachment), "content"), fault);
        return _count++;
    }
}
