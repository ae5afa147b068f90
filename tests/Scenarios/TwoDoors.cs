using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using MailKit.Net.Smtp;
using MailKit.Security;
using Microsoft.EntityFrameworkCore;
using MimeKit;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>Somebody at both doors of a node, HTTP for what goes out and SMTP for what comes in, who remembers what was acknowledged.</summary>
internal sealed class TwoDoors(Installation installation, MoxApiProcess node) : IDisposable
{
    private readonly HttpClient http = node.Client(installation.ApiKey);
    private readonly SmtpClient smtp = new();
    private readonly List<string> accepted = [];
    private readonly List<string> received = [];
    private int number;

    /// <summary>The settings that open the second door.</summary>
    public static (string, string) Smtp { get; } = ("Listeners__Smtp__0", "127.0.0.1:0");

    /// <summary>Posts a message; returns whether it was accepted. If not, it was refused as it should be while there is no room: 503, and when to come again.</summary>
    public Task<bool> PostAsync(int textLength = 10, int fileLength = 0)
    {
        var files = fileLength == 0 ? null : new[] { new { filename = "a.bin", contentType = "application/octet-stream", content = Convert.ToBase64String(Noise(fileLength)) } };
        return PostAsync(messageId => JsonContent.Create(new { to = new[] { "jane@example.net" }, subject = "Out", text = Text(textLength), messageId, attachments = files ?? [] }));
    }

    /// <summary>As <see cref="PostAsync(int, int)"/>, of a form with a file.</summary>
    public Task<bool> PostFormAsync(int fileLength) => PostAsync(messageId => new MultipartFormDataContent
    {
        { JsonContent.Create(new { to = new[] { "jane@example.net" }, subject = "Out", text = Text(10), messageId }), "message" },
        { new ByteArrayContent(Noise(fileLength)), "attachment", "a.bin" },
    });

    /// <summary>Hands a message in by SMTP; returns the code of the answer that decided.</summary>
    public async Task<int> HandInAsync(int textLength = 10)
    {
        using var message = new MimeMessage([new MailboxAddress("", "jane@example.net")], [new MailboxAddress("", "receipts@acme.example")], "In", new TextPart("plain") { Text = Text(textLength) }) { MessageId = NewId() };
        try
        {
            // The session goes on after a refusal, so one connection serves as long as the server keeps it.
            if (!smtp.IsConnected) await smtp.ConnectAsync(node.Smtp!.Address.ToString(), node.Smtp.Port, SecureSocketOptions.None);
            await smtp.SendAsync(message);
            received.Add($"<{message.MessageId}>");
            return 250;
        }
        catch (SmtpCommandException refused)
        {
            return (int)refused.StatusCode;
        }
    }

    /// <summary>Waits until the queue is empty, and asserts that everything acknowledged is where it should be: at the recipients', or in the Inbox; and that the books balance.</summary>
    public async Task AssertNothingLostAsync(CountingSink sink)
    {
        await installation.QueueIsEmptyAsync();
        Assert.DoesNotContain(accepted, id => sink.Of(id).Accepts == 0);
        await using var context = installation.Open();
        var stored = await context.Messages.Where(m => m.Direction == MessageDirection.Incoming).Select(m => m.MessageIdHeader).ToListAsync(TestContext.Current.CancellationToken);
        Assert.NotEmpty(received);
        Assert.Empty(received.Except(stored));
        await installation.AssertBooksBalanceAsync();
    }

    public void Dispose()
    {
        http.Dispose();
        smtp.Dispose();
    }

    private async Task<bool> PostAsync(Func<string, HttpContent> make)
    {
        var messageId = $"<{NewId()}>";
        using var content = make(messageId);
        using var answer = await http.PostAsync(new Uri("/v1/messages", UriKind.Relative), content);
        var body = await answer.Content.ReadAsStringAsync();
        if (answer.StatusCode == HttpStatusCode.Accepted)
        {
            accepted.Add(messageId);
            return true;
        }
        Assert.True(answer.StatusCode == HttpStatusCode.ServiceUnavailable, $"{answer.StatusCode}: {body}\n{node.Log}");
        Assert.Equal("unavailable", (string?)JsonNode.Parse(body)!["code"]);
        Assert.True(answer.Headers.RetryAfter?.Delta > TimeSpan.Zero);
        return false;
    }

    private string NewId() => string.Create(CultureInfo.InvariantCulture, $"{++number}@acme.example");

    private static string Text(int length) => string.Concat(Enumerable.Repeat("All work and no play.\n", (length / 22) + 1));

    // Random, so that no compression makes little of it.
    private static byte[] Noise(int length)
    {
        var noise = new byte[length];
        new Random(length).NextBytes(noise);
        return noise;
    }
}
