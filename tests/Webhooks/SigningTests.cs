using System.Text;
using CsCheck;
using MoxApi.Webhooks.Signing;
using Xunit;

namespace MoxApi.Tests.Webhooks;

public class SigningTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1614265330);
    private static readonly byte[] Body = Encoding.UTF8.GetBytes("""{"test": 2432232314}""");
    private static readonly WebhookSecret Secret = Parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

    private static string Signature => StandardWebhooksSigner.Sign(Secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", Body);

    [Fact]
    public void The_signature_of_the_published_example_is_reproduced() => Assert.Equal("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", Signature);

    [Fact]
    public void What_was_signed_verifies_and_nothing_else_does() => Gen.Select(Gen.Byte.Array[0, 300], Gen.Int[0, 299], Gen.Byte[1, 255]).Sample((body, at, flip) =>
    {
        var secret = WebhookSecret.Create();
        var signature = StandardWebhooksSigner.Sign(secret, "evt_1", "1614265330", body);
        var good = Verify(secret, "evt_1", "1614265330", signature, body) == WebhookVerdict.Authentic;
        if (body.Length == 0) return good;
        body[at % body.Length] ^= flip;
        return good && Verify(secret, "evt_1", "1614265330", signature, body) == WebhookVerdict.WrongSignature;
    }, seed: "0000KOIPe036", iter: 200);

    [Fact]
    public void A_secret_is_read_from_what_it_was_written_as_and_from_nothing_shorter_or_longer() => Gen.Byte.Array[0, 80].ForEach(1000, key =>
    {
        Assert.Equal(key.Length is >= 24 and <= 64, WebhookSecret.TryParse("whsec_" + Convert.ToBase64String(key), out var secret));
        if (secret is null)
        {
            Assert.Throws<ArgumentException>(() => WebhookSecret.FromKey(key));
            return;
        }
        Assert.Equal(key, secret.Key);
        Assert.Equal(secret.Reveal(), WebhookSecret.FromKey(key).Reveal());
        Assert.Equal("whsec_…", secret.ToString());
    });

    [Fact]
    public void Any_text_is_refused_or_a_secret_that_is_read_again() =>
        Gen.Select(Gen.OneOf("whsec_", "whsec_", "WHSEC_", ""), Gen.Char["Aa0+/=-_ \n☺"].Array[0, 100].Select(c => new string(c))).ForEach(5000, input =>
        {
            if (!WebhookSecret.TryParse(input.Item1 + input.Item2, out var secret)) return;
            Assert.InRange(secret.Key.Length, 24, 64);
            Assert.True(WebhookSecret.TryParse(secret.Reveal(), out var again));
            Assert.Equal(secret.Key, again.Key);
        });

    [Fact]
    public void Id_and_timestamp_are_signed_too()
    {
        Assert.Equal(WebhookVerdict.WrongSignature, Verify(Secret, "msg_other", "1614265330", Signature, Body));
        Assert.Equal(WebhookVerdict.WrongSignature, Verify(Secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265331", Signature, Body));
    }

    [Theory]
    [InlineData(-301, WebhookVerdict.Stale)]
    [InlineData(-300, WebhookVerdict.Authentic)]
    [InlineData(300, WebhookVerdict.Authentic)]
    [InlineData(301, WebhookVerdict.Stale)]
    public void A_timestamp_may_be_five_minutes_off(int seconds, WebhookVerdict expected) => Assert.Equal(expected, StandardWebhooksVerifier.Verify(
        Secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", Signature, Body, Now.AddSeconds(seconds)));

    [Fact]
    public void One_right_signature_among_several_is_enough() =>
        Assert.Equal(WebhookVerdict.Authentic, Verify(Secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", $"v1a,zzzz v1,AAAA {Signature}", Body));

    [Theory]
    [InlineData(null, "1614265330", "v1,AAAA")]
    [InlineData("msg", null, "v1,AAAA")]
    [InlineData("msg", "-1", "v1,AAAA")]
    [InlineData("msg", "1614265330.5", "v1,AAAA")]
    [InlineData("msg", "99999999999999999999", "v1,AAAA")]
    [InlineData("msg", "1614265330", null)]
    [InlineData("msg", "1614265330", "")]
    public void Missing_and_unreadable_headers_are_refused(string? id, string? timestamp, string? signature) =>
        Assert.Equal(WebhookVerdict.Malformed, Verify(Secret, id, timestamp, signature, Body));

    [Theory]
    [InlineData("1")]
    [InlineData("9223372036854775807")]
    public void Timestamps_at_the_ends_of_the_numbers_are_stale(string timestamp) =>
        Assert.Equal(WebhookVerdict.Stale, Verify(Secret, "msg", timestamp, "v1,AAAA", Body));

    [Fact]
    public void A_new_secret_has_32_octets_and_reads_back()
    {
        var secret = WebhookSecret.Create();

        Assert.Equal(32, secret.Key.Length);
        Assert.Equal(secret.Key.ToArray(), Parse(secret.Reveal()).Key.ToArray());
        Assert.DoesNotContain(Convert.ToBase64String(secret.Key), secret.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("whsec_")]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("whsec_not base64")]
    [InlineData("whsec_AAAA")]
    [InlineData("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void What_is_no_secret_is_not_read(string? text) => Assert.False(WebhookSecret.TryParse(text, out _));

    private static WebhookVerdict Verify(WebhookSecret secret, string? id, string? timestamp, string? signatures, byte[] body) =>
        StandardWebhooksVerifier.Verify(secret, id, timestamp, signatures, body, Now);

    private static WebhookSecret Parse(string text) => WebhookSecret.TryParse(text, out var secret) ? secret : throw new ArgumentException(text);
}
