using MoxApi.Api.Json;
using MoxApi.Api.Webhooks;
using MoxApi.OpenApi.Webhooks;
using Xunit;

namespace MoxApi.Tests.Api.Webhooks;

public class WebhookUrlTests
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
    public void A_url_is_absolute_https_and_has_no_user(string url, bool good) => Assert.Equal(good, WebhookRules.UrlFault(url, allowHttp: false) is null);

    [Theory]
    [InlineData("http://127.0.0.1:8025/", true)]
    [InlineData("http://app.acme.example/", true)]
    [InlineData("ftp://app.acme.example/", false)]
    public void It_may_be_without_tls_where_that_is_allowed(string url, bool good) => Assert.Equal(good, WebhookRules.UrlFault(url, allowHttp: true) is null);

    [Fact]
    public void A_url_of_2048_characters_is_the_longest()
    {
        var longest = "https://app.acme.example/".PadRight(WebhookRules.MaxUrl, 'x');

        Assert.Empty(FaultsOf(longest));
        Assert.Equal(["/url too_long"], FaultsOf(longest + "x"));
    }

    private static IEnumerable<string> FaultsOf(string url)
    {
        var faults = new Faults();
        WebhookRules.Check(new CreateWebhookRequest { Url = url }, allowHttp: false, faults);
        return faults.ToRefusal().Errors!.Select(f => $"{f.Pointer} {f.Code}");
    }
}
