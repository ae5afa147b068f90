using CsCheck;
using MoxApi.Migrations.Identifiers;
using Xunit;

namespace MoxApi.Tests.Migrations.Identifiers;

public sealed class PublicIdsTests : IDisposable
{
    private readonly PublicIds ids = new("0123456789abcdef"u8.ToArray());

    public void Dispose() => ids.Dispose();

    [Fact]
    public void What_is_made_is_read_and_by_its_own_kind_alone() => Gen.Long[1, 1L << 53].ForEach(500, id =>
    {
        foreach (var kind in Enum.GetValues<PublicIdKind>())
        {
            var text = ids.Make(kind, id);
            Assert.True(ids.TryRead(kind, text, out var read));
            Assert.Equal(id, read);
            foreach (var other in Enum.GetValues<PublicIdKind>())
            {
                // Also when the prefix is exchanged.
                if (other != kind) Assert.False(ids.TryRead(other, ids.Make(other, 1)[..^26] + text[^26..], out _));
            }
        }
    });

    [Fact]
    public void A_return_path_is_read_in_upper_case_too()
    {
        Assert.True(ids.TryRead(PublicIdKind.ReturnPath, ids.Make(PublicIdKind.ReturnPath, 42).ToUpperInvariant(), out var id));
        Assert.Equal(42, id);
    }

    [Fact]
    public void Made_up_ids_are_refused() => Gen.Char["abcdefghijklmnopqrstuvwxyz234567"].Array[26].ForEach(2000, letters =>
        Assert.False(ids.TryRead(PublicIdKind.Message, "msg_" + new string(letters), out _)));

    [Theory, InlineData(null), InlineData(""), InlineData("msg_"), InlineData("msg_a"), InlineData("msg_!!!!!!!!!!!!!!!!!!!!!!!!!!"), InlineData("msg_\u212aaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void Other_texts_are_refused(string? text) => Assert.False(ids.TryRead(PublicIdKind.Message, text, out _));

    [Fact]
    public void A_letter_that_only_becomes_one_of_ours_in_lower_case_is_refused()
    {
        // U+212A, the Kelvin sign, is a k in lower case.
        for (var id = 1; ; id++)
        {
            var text = ids.Make(PublicIdKind.Message, id);
            if (!text.Contains('k', StringComparison.Ordinal)) continue;
            Assert.False(ids.TryRead(PublicIdKind.Message, text.Replace('k', '\u212a'), out _));
            return;
        }
    }

    [Fact]
    public void Another_installation_does_not_read_them()
    {
        using var others = new PublicIds("fedcba9876543210"u8.ToArray());

        Assert.False(others.TryRead(PublicIdKind.Message, ids.Make(PublicIdKind.Message, 42), out _));
    }

    [Fact]
    public void Cursors_are_read_as_they_were_made() => Gen.Select(Gen.Long[0, 100L * 365 * 86400], Gen.Long[1, 1L << 53]).ForEach(500, place =>
    {
        var at = new DateTimeOffset(2001, 1, 1, 0, 0, 0, TimeSpan.Zero).AddSeconds(place.Item1);
        Assert.True(ids.TryReadCursor(TimedList.Received, ids.MakeCursor(TimedList.Received, at, place.Item2), out var readAt, out var id));
        Assert.Equal((at, place.Item2), (readAt, id));
    });
}
