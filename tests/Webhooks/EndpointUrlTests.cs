using MoxApi.Webhooks.Endpoints;
using Xunit;

namespace MoxApi.Tests.Webhooks;

public class EndpointUrlTests
{
    [Theory]
    [InlineData("https://app.acme.example/hooks/mail?x=1", true)]
    [InlineData("https://[2001:db8::1]:8443/", true)]
    [InlineData("https://bücher.example/", true)]
    [InlineData("http://127.0.0.1:8025/", false)]
    [InlineData("http://app.acme.example/", false)]
    [InlineData("", false)]
    [InlineData("/hooks/mail", false)]
    [InlineData("//app.acme.example/", false)]
    [InlineData("app.acme.example", false)]
    [InlineData("ftp://app.acme.example/", false)]
    [InlineData("file:///etc/passwd", false)]
    [InlineData("javascript:alert(1)", false)]
    [InlineData("https://user@app.acme.example/", false)]
    [InlineData("https://user:password@app.acme.example/", false)]
    [InlineData("https://app.acme.example/#part", false)]
    [InlineData("https://app.acme.example/a b", false)]
    [InlineData("https://app.acme.example/\r\nX-Header: 1", false)]
    [InlineData("https:\\\\app.acme.example\\", false)]
    [InlineData("https://", false)]
    public void A_url_is_absolute_https_and_has_no_user(string url, bool good)
    {
        Assert.Equal(good, EndpointUrl.Read(url, allowHttp: false, out var read) is null);
        Assert.True(!good || read!.Scheme == "https");
    }

    [Fact]
    public void A_url_of_2048_characters_is_the_longest()
    {
        var longest = "https://app.acme.example/".PadRight(EndpointUrl.MaxLength, 'x');

        Assert.Null(EndpointUrl.Read(longest, allowHttp: false, out _));
        Assert.NotNull(EndpointUrl.Read(longest + "x", allowHttp: false, out _));
    }
}
