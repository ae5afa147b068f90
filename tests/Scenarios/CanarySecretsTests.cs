using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Cluster;
using MoxApi.Migrations.Secrets;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>Secrets that were used in a real run are sought in all that it leaves behind: logs, metrics, answers and a dump of the database.</summary>
public sealed class CanarySecretsTests(TestPostgres postgres)
{
    private const string Password = "canary-Passwörd-7c1f";

    [Fact]
    public async Task No_secret_is_found_in_logs_metrics_or_a_dump()
    {
        await using var installation = await Installation.CreateAsync(postgres);
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var sink = new CountingSink();
        installation.Deliver("example.net", sink.EndPoint);
        await using var node = await installation.StartNodeAsync("canary", ("Logging__LogLevel__Default", "Trace"), ("AllowNetworks__0", "127.0.0.0/8"));
        using var admin = node.Client(installation.ApiKey);
        var (account, key) = await AdministerAsync(admin);
        var secret = await RegisterAsync(admin, receiver.Url);

        await UseAsync(node, installation, key);
        await receiver.ArrivedAsync();
        var metrics = await admin.GetStringAsync("/metrics");
        var shown = await admin.GetStringAsync($"/v1/accounts/{account}") + await admin.GetStringAsync("/v1/api-keys") + await admin.GetStringAsync("/v1/webhooks") + await admin.GetStringAsync("/v1/domains");
        var dump = await DumpAsync(installation.ConnectionString);
        await node.StopAsync();

        Assert.Contains("canary-sentinel", dump);
        Assert.Contains("moxapi_", metrics);
        Assert.NotEmpty(node.Log);
        foreach (var (name, spellings) in await SecretsAsync(installation, key, secret))
        {
            foreach (var spelling in spellings)
            {
                Assert.False(node.Log.Contains(spelling, StringComparison.OrdinalIgnoreCase), $"The log has {name}.");
                Assert.False(node.Output.Contains(spelling, StringComparison.OrdinalIgnoreCase), $"The output has {name}.");
                Assert.False(metrics.Contains(spelling, StringComparison.OrdinalIgnoreCase), $"The metrics have {name}.");
                Assert.False(shown.Contains(spelling, StringComparison.OrdinalIgnoreCase), $"The API shows {name}.");
                Assert.False(dump.Contains(spelling, StringComparison.OrdinalIgnoreCase), $"The dump has {name}.");
            }
        }
    }

    private static async Task<(string Account, string Key)> AdministerAsync(HttpClient admin)
    {
        var account = JsonNode.Parse(await admin.GetStringAsync("/v1/domains"))!["data"]![0]!["accountId"]!.GetValue<string>();
        using var changed = await admin.PatchAsJsonAsync($"/v1/accounts/{account}", new { password = Password });
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        using var made = await admin.PostAsJsonAsync("/v1/api-keys", new { name = "canary-sentinel" });
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        return (account, JsonNode.Parse(await made.Content.ReadAsStringAsync())!["key"]!.GetValue<string>());
    }

    private static async Task<string> RegisterAsync(HttpClient admin, Uri url)
    {
        using var answer = await admin.PostAsJsonAsync("/v1/webhooks", new { url, allowPrivate = true });
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["secret"]!.GetValue<string>();
    }

    // Everything that has to do with secrets, also where it goes wrong: that is where programs are talkative.
    private static async Task UseAsync(MoxApiProcess node, Installation installation, string key)
    {
        using var sender = node.Client(key);
        using var sent = await sender.PostAsJsonAsync("/v1/messages", new { to = new[] { "jane@example.net" }, subject = "Hello", text = "It works." });
        Assert.Equal(HttpStatusCode.Accepted, sent.StatusCode);
        using var login = new HttpRequestMessage(HttpMethod.Get, "/v1/messages");
        login.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"receipts@acme.example:{Password}")));
        using var logged = await sender.SendAsync(login);
        Assert.Equal(HttpStatusCode.OK, logged.StatusCode);
        foreach (var credentials in new[] { ("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"nobody@acme.example:{Password}"))), ("Bearer", key + "x"), ("Digest", key) })
        {
            using var wrong = new HttpRequestMessage(HttpMethod.Get, "/v1/messages") { Headers = { Authorization = new AuthenticationHeaderValue(credentials.Item1, credentials.Item2) } };
            using var refused = await sender.SendAsync(wrong);
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        }
        foreach (var path in new[] { "/v1/accounts", "/v1/api-keys" })
        {
            using var refused = await sender.PostAsJsonAsync(path, new { password = Password, key });
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        }
        await installation.QueueIsEmptyAsync();
    }

    private static async Task<List<(string Name, string[] Spellings)>> SecretsAsync(Installation installation, string key, string webhookSecret)
    {
        var masterKey = Convert.FromBase64String(installation.Settings["Secrets__MasterKey"]);
        var box = new SecretBox(MasterKey.Parse(installation.Settings["Secrets__MasterKey"]));
        var secrets = new List<(string, string[])>
        {
            ("the API key", Text(key)),
            ("the admin's API key", Text(installation.ApiKey)),
            ("the password", Text(Password)),
            ("the webhook's secret", [.. Text(webhookSecret), .. Octets(Convert.FromBase64String(webhookSecret["whsec_".Length..]))]),
            ("the master key", Octets(masterKey)),
        };
        await using var context = installation.Open();
        foreach (var dkim in await context.DkimKeys.ToListAsync()) secrets.Add(($"the DKIM key {dkim.Selector}", Octets(box.Open(dkim.SealedPrivateKey, DkimKey.SealContext("acme.example", dkim.Selector)))));
        return secrets;

        // pg_dump writes octets in hexadecimal.
        static string[] Text(string text) => [text, .. Octets(Encoding.UTF8.GetBytes(text))];

        // A long secret is looked for by its middle: its beginning is the same for all keys of a kind.
        static string[] Octets(byte[] octets)
        {
            var core = octets.Length > 64 ? octets[^48..^16] : octets;
            return [Convert.ToHexStringLower(core), Convert.ToBase64String(octets).TrimEnd('=')];
        }
    }

    private static async Task<string> DumpAsync(string connectionString)
    {
        var connection = new NpgsqlConnectionStringBuilder(connectionString);
        var program = Path.Combine((await ServerPrograms.FindAsync(null, default)).Folder, "pg_dump");
        var info = new ProcessStartInfo(program, ["--host", connection.Host!, "--port", $"{connection.Port}", "--username", connection.Username!, connection.Database!]) { RedirectStandardOutput = true };
        info.Environment["PGPASSWORD"] = connection.Password;
        using var process = Process.Start(info)!;
        var dump = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Eventually.Patience);
        Assert.Equal(0, process.ExitCode);
        return dump;
    }
}
