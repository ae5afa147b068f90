using Microsoft.Playwright;
using MoxApi.Tests.Hosting;

namespace MoxApi.Tests.Peers;

/// <summary>The system's Chromium without a window, with a profile of its own, driven through Playwright.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private static readonly string[] Programs = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    // Nothing but the page itself is to be asked for.
    private static readonly string[] Quiet =
        ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

    private const int Patience = 60_000; // Milliseconds.

    private readonly TemporaryFolder profile;
    private readonly IPlaywright playwright;
    private readonly IBrowserContext browser;

    private Chromium(TemporaryFolder profile, IPlaywright playwright, IBrowserContext browser) =>
        (this.profile, this.playwright, this.browser) = (profile, playwright, browser);

    /// <summary>Why there can be none here, or nothing.</summary>
    public static string? Missing => Program is null ? $"There is no Chromium at {string.Join(", ", Programs)}." : null;

    /// <summary>The page that is open.</summary>
    public IPage Page => browser.Pages[0];

    private static string? Program => Programs.FirstOrDefault(File.Exists);

    public static async Task<Chromium> StartAsync()
    {
        var profile = new TemporaryFolder();
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchPersistentContextAsync(profile.FullName, new BrowserTypeLaunchPersistentContextOptions
        {
            ExecutablePath = Program,
            Args = Quiet,
            Headless = true,
            Timeout = Patience,
        });
        browser.SetDefaultTimeout(Patience);
        Assertions.SetDefaultExpectTimeout(Patience);
        return new Chromium(profile, playwright, browser);
    }

    public async ValueTask DisposeAsync()
    {
        await browser.CloseAsync();
        playwright.Dispose();
        profile.Dispose();
    }
}
