using System.Security.Cryptography;
using System.Text;
using MoxApi.Migrations.Secrets;
using Xunit;

namespace MoxApi.Tests.Migrations.Secrets;

public class SecretBoxTests
{
    private const string Row = "dkim_key:example.org:s1";

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("a longer secret, with ünïcode")]
    public void What_is_sealed_opens(string secret)
    {
        var box = new SecretBox(NewKey());

        Assert.Equal(secret, Encoding.UTF8.GetString(box.Open(box.Seal(Encoding.UTF8.GetBytes(secret), Row), Row)));
    }

    [Fact]
    public void The_same_secret_never_looks_the_same_and_never_shows()
    {
        var box = new SecretBox(NewKey());
        var secret = "correct horse battery staple"u8.ToArray();

        var boxes = Enumerable.Range(0, 100).Select(_ => box.Seal(secret, Row)).ToArray();

        Assert.Equal(100, boxes.Select(Convert.ToHexString).Distinct().Count());
        Assert.All(boxes, sealedValue => Assert.Equal(-1, sealedValue.AsSpan().IndexOf(secret.AsSpan(0, 4))));
    }

    [Fact]
    public void A_change_of_any_bit_is_noticed()
    {
        var box = new SecretBox(NewKey());
        var sealedValue = box.Seal("secret"u8, Row);
        for (var i = 0; i < sealedValue.Length * 8; i++)
        {
            var changed = (byte[])sealedValue.Clone();
            changed[i / 8] ^= (byte)(1 << (i % 8));
            Assert.Throws<SecretException>(() => box.Open(changed, Row));
        }
    }

    [Fact]
    public void A_cut_value_of_any_length_and_a_longer_one_are_refused()
    {
        var box = new SecretBox(NewKey());
        var sealedValue = box.Seal("secret"u8, Row);

        for (var length = 0; length < sealedValue.Length; length++) Assert.Throws<SecretException>(() => box.Open(sealedValue.AsSpan(0, length), Row));
        Assert.Throws<SecretException>(() => box.Open([.. sealedValue, 0], Row));
    }

    [Fact]
    public void A_value_moved_to_another_row_is_refused()
    {
        var box = new SecretBox(NewKey());

        var failure = Assert.Throws<SecretException>(() => box.Open(box.Seal("secret"u8, Row), "dkim_key:example.org:s2"));

        Assert.Contains("another row", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Under_another_master_key_the_message_names_both_keys()
    {
        var (key, other) = (NewKey(), NewKey());

        var failure = Assert.Throws<SecretException>(() => new SecretBox(other).Open(new SecretBox(key).Seal("secret"u8, Row), Row));

        Assert.Contains(key.Id, failure.Message, StringComparison.Ordinal);
        Assert.Contains(other.Id, failure.Message, StringComparison.Ordinal);
        Assert.Contains("Restore the master key", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void After_a_rotation_old_values_open_and_new_ones_are_under_the_new_key()
    {
        var (old, current) = (NewKey(), NewKey());
        var before = new SecretBox(old).Seal("secret"u8, Row);
        var rotated = new SecretBox(current, old);

        Assert.Equal("secret"u8, rotated.Open(before, Row));
        Assert.Equal("secret"u8, new SecretBox(current).Open(rotated.Seal("secret"u8, Row), Row));
    }

    private static MasterKey NewKey() => MasterKey.Parse(Convert.ToBase64String(RandomNumberGenerator.GetBytes(MasterKey.Size)));
}
