using System.Security.Cryptography;
using System.Text;
using CsCheck;
using MoxApi.Mail.Dkim;
using Xunit;

namespace MoxApi.Tests.Mail.Dkim;

public class DkimBodyHashTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("\r\n\r\n", "")]
    [InlineData(" \t\r\n \r\n", "")]
    [InlineData(" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n")] // RFC 6376 §3.4.5
    [InlineData("no line end", "no line end\r\n")]
    [InlineData("white space at the end \t", "white space at the end\r\n")]
    [InlineData("a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n")]
    [InlineData("a\r\n  \r\n\t\r\nb", "a\r\n\r\n\r\nb\r\n")]
    [InlineData("a\rb\nc \r d\r\n", "a\rb\nc \r d\r\n")]
    [InlineData("a\r", "a\r\r\n")]
    [InlineData("a\r\r\n", "a\r\r\n")]
    [InlineData("é\t\té\r\n", "é é\r\n")]
    public void The_hash_is_over_the_relaxed_body(string body, string canonical) =>
        Assert.Equal(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)), Hash([Encoding.UTF8.GetBytes(body)]));

    [Fact]
    public void The_hash_of_an_empty_body_is_that_of_the_standard() => // RFC 6376 §3.4.4, as its errata have it
        Assert.Equal("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", Convert.ToBase64String(Hash([])));

    [Fact]
    public void The_hash_is_the_same_however_the_body_is_cut() =>
        Gen.OneOf(" ", "\t", "\r", "\n", "\r\n", "x", "yz").Array[0, 40].Select(string.Concat).ForEach(
            500,
            text =>
            {
                var body = Encoding.UTF8.GetBytes(text);
                var whole = Hash([body]);
                Assert.Equal(whole, Hash(body.Select(octet => new[] { octet })));
                for (var cut = 0; cut <= body.Length; cut++) Assert.Equal(whole, Hash([body[..cut], [], body[cut..]]));
            });

    [Fact]
    public void Pieces_longer_than_the_buffer_are_hashed_whole()
    {
        var body = new string('x', 10_000) + " " + new string('y', 4095) + "\r\n";
        Assert.Equal(SHA256.HashData(Encoding.UTF8.GetBytes(body)), Hash([Encoding.UTF8.GetBytes(body)]));
    }

    [Fact]
    public void It_can_be_used_again()
    {
        using var hash = new DkimBodyHash();
        hash.Append("first \r\n\r\n"u8);
        hash.Complete();
        hash.Append("second"u8);
        Assert.Equal(SHA256.HashData("second\r\n"u8), hash.Complete());
    }

    private static byte[] Hash(IEnumerable<byte[]> pieces)
    {
        using var hash = new DkimBodyHash();
        foreach (var piece in pieces) hash.Append(piece);
        return hash.Complete();
    }
}
