using System.Text;
using CsCheck;
using MoxApi.Mail.Addresses;
using Xunit;

namespace MoxApi.Tests.Mail.Addresses;

public class AddressFuzzTests
{
    // What is special in a grammar, changes when it is normalized, folds to something else, is invisible, or is half of a character.
    private static readonly Gen<string> LocalPiece = Gen.OneOf(
        "a", "Z", "7", ".", "+", "-", "_", "\"", "\\", "@", " ", "\t", "\r\n", "\0", "\x7f", "\x85", "\xa0", "<", ">", "(", ",", "/", "%2F", "ü", "u\u0308", "\u0308", "ß", "☺", "😀", "\ud83d",
        "\udc00", "\u212a", "\u200d", "\u202e", "ａ", "xxxxxxxxxxxxxxxx");

    private static readonly Gen<string> DomainPiece = Gen.OneOf(
        "a", "Z", "7", ".", "..", "-", "_", "xn--", "xn--mnchen-3ya", "xn--a", "XN--", "--", "ü", "u\u0308", "\u0308", "ß", "ς", "İ", "ı", "\u212a", "\u3002", "\uff0e", "\u00ad", "\u200d", "\u200c", "א", "ա",
        "中", "😀", "\ud83d", "ａ", "⒈", " ", "\0", "[", ":", "@", "example", ".org", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");

    private static readonly Gen<string> Domains = DomainPiece.Array[1, 8].Select(string.Concat);

    [Fact]
    public void A_domain_that_is_read_is_the_same_in_all_its_forms_and_can_be_asked_of_DNS()
    {
        var read = 0;
        Domains.ForEach(20_000, text =>
        {
            if (!MailDomain.TryParse(text, out var domain, out var fault))
            {
                Assert.NotEmpty(fault);
                return;
            }
            read++;
            Assert.True(Ascii.IsValid(domain.Ascii) && domain.Ascii.Length is >= 1 and <= 253, domain.Ascii);
            Assert.Equal(domain.Ascii, MailDomain.Parse(domain.Ascii).Ascii);
            Assert.Equal(domain, MailDomain.Parse(domain.ToString()));
            Assert.Equal(domain.Unicode, MailDomain.Parse(domain.Unicode).Unicode);
        });
        Assert.InRange(read, 1000, 19_000);
    }

    [Fact]
    public void An_address_that_is_read_is_the_same_in_all_its_forms()
    {
        var read = 0;
        var locals = LocalPiece.Array[0, 6].Select(string.Concat);
        Gen.Select(locals, Gen.OneOf("{0}", "{0}", "\"{0}\""), Gen.Frequency((3, Gen.Const("example.org")), (1, Domains))).ForEach(20_000, input =>
        {
            var (local, form, domain) = input;
            if (!MailAddress.TryParse(form.Replace("{0}", local, StringComparison.Ordinal) + "@" + domain, out var address, out var fault))
            {
                Assert.NotEmpty(fault);
                return;
            }
            read++;
            Assert.InRange(Encoding.UTF8.GetByteCount(address.LocalPart), 1, 64);
            Assert.Equal(address, MailAddress.Parse(address.ToString()));
            Assert.Equal(address, MailAddress.Parse(address.ToAscii()));
            Assert.Equal(address.ToString(), MailAddress.Parse(address.ToAscii()).ToString());
            Assert.DoesNotContain(address.ToString(), char.IsControl);
            Assert.Equal(address.NeedsSmtpUtf8, !Ascii.IsValid(address.ToAscii()));
        });
        Assert.InRange(read, 1000, 19_000);
    }
}
