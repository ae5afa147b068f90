using MoxApi.Mail.Addresses;
using Xunit;

namespace MoxApi.Tests.Mail.Addresses;

public class BaseAddressTests
{
    [Theory]
    [InlineData("Jane@Example.org", "jane@example.org")]
    [InlineData("jane+news@example.org", "jane@example.org")]
    [InlineData("jane.doe@example.org", "jane.doe@example.org")]
    [InlineData("jane-doe@example.org", "jane-doe@example.org")]
    [InlineData("J.a.n.e+x@gmail.com", "jane@gmail.com")]
    [InlineData("jane@googlemail.com", "jane@gmail.com")]
    [InlineData("+@example.org", "+@example.org")]
    [InlineData("jane@bücher.example", "jane@xn--bcher-kva.example")]
    public void Spellings_that_reach_the_same_person_have_one_base_address(string address, string expected)
    {
        Assert.True(MailAddress.TryParse(address, out var parsed, out _));
        Assert.Equal(expected, BaseAddress.Of(parsed));
    }
}
