using System.Net.Http.Json;
using System.Text.Json;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace MoxApi.Tests.Scenarios;

public class SwaggerTests
{
    private const string Key = "mox_local_sandbox";

    [Fact]
    public async Task A_message_can_be_sent_from_the_page_in_a_browser()
    {
        Assert.SkipUnless(Chromium.Missing is null, $"{Chromium.Missing}");
        using var data = new TemporaryFolder();
        await using var sandbox = await MoxApiProcess.StartSandboxAsync(data.FullName);
        await using var chromium = await Chromium.StartAsync();
        var page = chromium.Page;

        await page.GotoAsync(new Uri(sandbox.Http, "/swagger").AbsoluteUri);
        await page.Locator(".auth-wrapper .authorize").ClickAsync();
        var bearer = page.Locator(".auth-container").Filter(new() { HasText = "Bearer" });
        await bearer.GetByRole(Microsoft.Playwright.AriaRole.Textbox).FillAsync(Key);
        await bearer.Locator("button.authorize").ClickAsync();
        await Expect(bearer.GetByText("Logout")).ToBeVisibleAsync();
        await page.Locator(".modal-ux .btn-done").First.ClickAsync();

        var send = page.Locator("[id$=-SendMessage]");
        await send.Locator(".opblock-summary-control").ClickAsync();
        if (await send.Locator(".try-out__btn:not(.cancel)").IsVisibleAsync()) await send.Locator(".try-out__btn").ClickAsync();
        await send.Locator("textarea.body-param__text").FillAsync("""{"to": ["jane@example.org"], "subject": "Sent from the page", "text": "It works."}""");
        await send.Locator("button.execute").ClickAsync();
        await Expect(send.Locator(".live-responses-table .response .response-col_status")).ToContainTextAsync("202");

        Assert.Equal("Sent from the page", await SubjectOfTheFirstAsync(sandbox));
    }

    private static async Task<string?> SubjectOfTheFirstAsync(MoxApiProcess sandbox)
    {
        using var api = sandbox.Client(Key);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromMinutes(1));
        while (true)
        {
            var received = await api.GetFromJsonAsync<JsonElement>("/v1/received", patience.Token);
            if (received.GetProperty("data").EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.Object } first) return first.GetProperty("subject").GetString();
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
        }
    }
}
