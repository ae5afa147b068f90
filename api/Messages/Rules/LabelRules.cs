using MoxApi.Api.Json;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Messages.Rules;

/// <summary>What a sender labels a message with, for itself: tags and metadata.</summary>
internal static class LabelRules
{
    public const int MaxTags = 10;
    public const int MaxTag = 64;
    public const int MaxMetadata = 50;
    public const int MaxMetadataName = 64;
    public const int MaxMetadataValue = 1024;
    public const int MaxMetadataLength = 16 * 1024; // Each of a message's events carries it.

    public static void Check(OutgoingMessage message, Faults faults)
    {
        CheckTags(message.Tags, faults);
        CheckMetadata(message.Metadata, faults);
    }

    private static void CheckTags(IReadOnlyList<string> tags, Faults faults)
    {
        if (tags.Count > MaxTags) faults.Add("/tags", FaultCodes.TooMany, $"There are at most {MaxTags} tags.");
        for (var i = 0; i < tags.Count; i++) TextRules.Word(tags[i], MaxTag, JsonPointer.Item("/tags", i), faults);
    }

    private static void CheckMetadata(IReadOnlyDictionary<string, string> metadata, Faults faults)
    {
        if (metadata.Count > MaxMetadata) faults.Add("/metadata", FaultCodes.TooMany, $"Metadata has at most {MaxMetadata} names.");
        foreach (var (name, value) in metadata)
        {
            var pointer = JsonPointer.Member("/metadata", name);
            TextRules.Word(name, MaxMetadataName, pointer, faults);
            if (value.Length > MaxMetadataValue) faults.Add(pointer, FaultCodes.TooLong, $"The text has at most {MaxMetadataValue} characters.");
        }
        if (metadata.Sum(entry => entry.Key.Length + entry.Value.Length) > MaxMetadataLength)
            faults.Add("/metadata", FaultCodes.TooLong, $"Metadata has at most {MaxMetadataLength} characters, names and texts together.");
    }
}
