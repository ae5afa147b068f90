using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using MoxApi.Migrations.Messages;
using Xunit;

namespace MoxApi.Tests.Hosting;

/// <summary>What tests do with an <see cref="Installation"/>.</summary>
internal static class InstallationInTests
{
    extension(Installation)
    {
        public static Task<Installation> CreateAsync(TestPostgres postgres) => postgres.CreateInstallationAsync();
    }

    /// <summary>Sends a message through a node; returns its id in the API.</summary>
    public static async Task<string> SendAsync(this Installation installation, MoxApiProcess node, string messageId, string to = "jane@example.net")
    {
        using var client = node.Client(installation.ApiKey);
        using var answer = await client.PostAsJsonAsync("/v1/messages", new { to = new[] { to }, subject = "Hello", text = "It works.", messageId });
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, $"{answer.StatusCode}: {body}");
        return JsonNode.Parse(body)!["id"]!.GetValue<string>();
    }

    /// <summary>Asserts that the books balance.</summary>
    public static async Task<BookReport> AssertBooksBalanceAsync(this Installation installation)
    {
        var report = await Books.CheckAsync(installation.Database, TestContext.Current.CancellationToken);
        Assert.Empty(report.Faults);
        return report;
    }
}
