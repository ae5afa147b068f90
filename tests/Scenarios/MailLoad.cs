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
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(25);

    private readonly HttpClient http;
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<string, bool> acknowledged = [];
    private readonly ConcurrentBag<string> refusals = [];
    private readonly Task[] clients;

    /// <summary>Starts the clients.</summary>
    /// <param name="apiKey">The key of all of them.</param>
    /// <param name="nodes">For each client, whom to post to; null while that node is away.</param>
    public MailLoad(string apiKey, params Func<MoxApiProcess?>[] nodes)
        : this(apiKey, nodes, [])
    {
    }

    /// <summary>Starts the clients.</summary>
    /// <param name="apiKey">The key of all of them.</param>
    /// <param name="nodes">For each client, whom to post to; null while that node is away.</param>
    /// <param name="patient">The same for clients that name each send by an Idempotency-Key, and try it again until it is acknowledged.</param>
    public MailLoad(string apiKey, Func<MoxApiProcess?>[] nodes, Func<MoxApiProcess?>[] patient)
    {
        http = new HttpClient { Timeout = Eventually.Patience, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", apiKey) } };
        clients = [.. nodes.Select((node, n) => Task.Run(() => PostAsync($"{n}", node, isPatient: false))), .. patient.Select((node, n) => Task.Run(() => PostAsync($"patient-{n}", node, isPatient: true)))];
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

    private async Task PostAsync(string client, Func<MoxApiProcess?> node, bool isPatient)
    {
        for (var number = 1; !stopping.IsCancellationRequested; number++)
        {
            var messageId = string.Create(CultureInfo.InvariantCulture, $"<{client}.{number}@acme.example>");
            while (!await TryPostAsync(node()?.Http, messageId, isPatient) && isPatient && !stopping.IsCancellationRequested) await Task.Delay(Pace, TimeProvider.System);
            await Task.Delay(Pace, TimeProvider.System);
        }
    }

    private async Task<bool> TryPostAsync(Uri? node, string messageId, bool withKey)
    {
        if (node is null) return false;
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(node, "/v1/messages"))
            {
                Content = JsonContent.Create(new { to = new[] { "jane@example.net" }, subject = "Load", text = "One of many.", messageId }),
            };
            if (withKey) request.Headers.Add("Idempotency-Key", messageId);
            using var answer = await http.SendAsync(request);
            if (answer.StatusCode == HttpStatusCode.Accepted) return acknowledged.TryAdd(messageId, true);
            // A killed node's transaction holds its key until PostgreSQL has noticed.
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable || (withKey && answer.StatusCode == HttpStatusCode.Conflict)) return false;
            refusals.Add($"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        }
        catch (Exception gone) when (gone is HttpRequestException or OperationCanceledException)
        {
            // Not acknowledged: the node died, and the message may be there or not.
        }
        return false;
    }
}
