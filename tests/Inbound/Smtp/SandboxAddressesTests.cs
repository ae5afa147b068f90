using MoxApi.Inbound.Smtp;
using Xunit;

namespace MoxApi.Tests.Inbound.Smtp;

public class SandboxAddressesTests
{
    [Theory]
    [InlineData("temperror", "451 4.3.0")]
    [InlineData("x-TempError", "451 4.3.0")]
    [InlineData("permerror", "550 5.0.0")]
    [InlineData("u550", "550 5.1.1")]
    [InlineData("user452", "452 4.3.1")]
    [InlineData("400", "400 4.0.0")]
    [InlineData("jane+599", "599 5.0.0")]
    [InlineData("order12421", "421 4.3.2")]
    [InlineData("x535", "535 5.7.8")]
    [InlineData("x556", "556 5.1.10")]
    public void These_are_refused(string localPart, string codes)
    {
        var behaviour = SandboxAddresses.Of(localPart);
        Assert.StartsWith(codes + " ", behaviour.Reply!.ToString(), StringComparison.Ordinal);
        Assert.False(behaviour.Hangs);
    }

    [Theory]
    [InlineData("timeout")]
    [InlineData("jane.Timeout")]
    public void These_are_not_answered(string localPart) => Assert.Equal(new SandboxBehaviour(Hangs: true), SandboxAddresses.Of(localPart));

    [Theory]
    [InlineData("jane")]
    [InlineData("temperror1")]
    [InlineData("399")]
    [InlineData("600")]
    [InlineData("u550x")]
    [InlineData("50")]
    [InlineData("-50")]
    [InlineData("x 50")]
    [InlineData("x\u0665\u0665\u0660")] // Digits, but not of ASCII.
    public void These_are_taken(string localPart) => Assert.Equal(default, SandboxAddresses.Of(localPart));

    [Fact]
    public void The_class_of_the_enhanced_code_is_that_of_the_code()
    {
        for (var code = 400; code <= 599; code++)
        {
            var reply = SandboxAddresses.Of($"u{code}").Reply!;
            Assert.Equal((code, code / 100), (reply.Code, reply.Enhanced!.Value.Class));
        }
    }
}
