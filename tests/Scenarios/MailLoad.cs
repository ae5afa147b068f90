using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using MoxApi.Tests.Hosting;

namespace MoxApi.Tests.Scenarios;

/// <summary>Clients that post one message after the other to nodes that come and go, and remember which were acknowledged.</summary>
internal sealed class MailLoad : IAsyncDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(10);

    private readonly HttpClient http;
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<string, bool> acknowledged = [];
    private readonly ConcurrentBag<string> refusals = [];
    private readonly Task[] clients;

    /// <summary>Starts the clients.</summary>
    /// <param name="apiKey">The key of all of them.</param>
    /// <param name="nodes">For each client, whom to post to; null while that node is away.</param>
    public MailLoad(string apiKey, params Func<MoxApiProcess?>[] nodes)
    {
        http = new HttpClient { Timeout = Eventually.Patience, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", apiKey) } };
        clients = [.. nodes.Select((node, number) => Task.Run(() => PostAsync(number, node)))];
    }

    /// <summary>The Message-IDs that were answered with 202.</summary>
    public ICollection<string> Acknowledged => acknowledged.Keys;

    /// <summary>Answers other than 202 and 503: there should be none.</summary>
    public IReadOnlyCollection<string> Refusals => refusals;

    /// <summary>Waits until so many more messages have been acknowledged.</summary>
    public Task AcknowledgedMoreAsync(int count)
    {
        var goal = acknowledged.Count + count;
        return Eventually.HoldsAsync(() => Task.FromResult(acknowledged.Count >= goal), string.Create(CultureInfo.InvariantCulture, $"{count} more messages to be acknowledged"));
    }

    /// <summary>Ends the load; what was being posted is answered first.</summary>
    public async Task StopAsync()
    {
        await stopping.CancelAsync();
        await Task.WhenAll(clients);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        http.Dispose();
        stopping.Dispose();
    }

    private async Task PostAsync(int client, Func<MoxApiProcess?> node)
    {
        for (var number = 1; !stopping.IsCancellationRequested; number++)
        {
            if (node() is { } up) await PostAsync(up.Http, string.Create(CultureInfo.InvariantCulture, $"<{client}.{number}@acme.example>"));
            await Task.Delay(Pace, TimeProvider.System);
        }
    }

    private async Task PostAsync(Uri node, string messageId)
    {
        try
        {
            using var answer = await http.PostAsJsonAsync(new Uri(node, "/v1/messages"), new { to = new[] { "jane@example.net" }, subject = "Load", text = "One of many.", messageId });
            if (answer.StatusCode == HttpStatusCode.Accepted) acknowledged.TryAdd(messageId, true);
            else if (answer.StatusCode != HttpStatusCode.ServiceUnavailable) refusals.Add($"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        }
        catch (Exception gone) when (gone is HttpRequestException or OperationCanceledException)
        {
            // Not acknowledged: the node died, and the message may be there or not.
        }
    }
}
