using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace MoxApi.Tests.Hosting;

/// <summary>A local sandbox in a data folder of its own: started without any configuration.</summary>
internal sealed class SandboxFolder : IDisposable
{
    public const string Key = "mox_local_sandbox";

    private static readonly Dictionary<string, string> NoSettings = [];

    private readonly TemporaryFolder folder = new();

    public SandboxFolder() => DataFolder = folder.Combine("data");

    public string DataFolder { get; }

    public Task<MoxApiProcess> StartAsync() => MoxApiProcess.StartSandboxAsync(DataFolder);

    /// <summary>Runs a command on the data folder.</summary>
    public Task<(int ExitCode, string Output, string Log)> RunAsync(params string[] command) =>
        MoxApiProcess.RunAsync(NoSettings, [.. command, "--data-dir", DataFolder]);

    /// <summary>The processes that run on the data folder: PostgreSQL names it on its command line.</summary>
    public string[] Processes() => [.. Directory.EnumerateDirectories("/proc")
        .Where(p => int.TryParse(Path.GetFileName(p), out _)).Select(CommandLine).Where(c => c.Contains(DataFolder, StringComparison.Ordinal))];

    /// <summary>Sends a message; returns its id.</summary>
    public static async Task<string> SendAsync(HttpClient client, string to, string subject)
    {
        using var answer = await client.PostAsJsonAsync("/v1/messages", new { to = new[] { to }, subject, text = "It works." });
        answer.EnsureSuccessStatusCode();
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["id"]!.GetValue<string>();
    }

    /// <summary>The only recipient of a message, once its status is no longer one of those on the way.</summary>
    public static Task<JsonNode> SettledAsync(HttpClient client, string id) => Eventually.GetAsync(
        async () =>
        {
            var message = JsonNode.Parse(await client.GetStringAsync($"/v1/messages/{id}"))!;
            var recipient = message["recipients"]![0]!;
            return recipient["status"]!.GetValue<string>() is "queued" or "delivering" ? null : recipient;
        },
        $"an outcome for {id}");

    /// <summary>The subjects of what has arrived.</summary>
    public static async Task<string[]> SubjectsAsync(HttpClient client) =>
        [.. JsonNode.Parse(await client.GetStringAsync("/v1/received?limit=100"))!["data"]!.AsArray().Select(m => m!["subject"]!.GetValue<string>())];

    /// <summary>Runs a line as somebody would who copied it into a shell.</summary>
    public static async Task<string> ShellAsync(string line)
    {
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", line]) { RedirectStandardOutput = true })!;
        var output = await shell.StandardOutput.ReadToEndAsync();
        await shell.WaitForExitAsync().WaitAsync(Eventually.Patience);
        return output;
    }

    public void Dispose() => folder.Dispose();

    private static string CommandLine(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline"));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
