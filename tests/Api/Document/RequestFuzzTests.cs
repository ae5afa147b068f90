using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using MoxApi.OpenApi.Access;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Api.Document;

/// <summary>
/// 20,000 requests made of the document and broken in every way that came to mind; in between, groups that meet at one thing at once. It takes some 50 seconds: the
/// number is what was promised, and each is a real request to a real database.
/// </summary>
public sealed class RequestFuzzTests(TestPostgres postgres) : IAsyncLifetime
{
    private const int Requests = 20_000;
    private const int AtOnce = 8;

    private readonly int[] statuses = new int[600];
    private readonly ConcurrentQueue<string> failures = [];

    private StoredApiHost host = null!;
    private HttpClient client = null!;

    public async ValueTask InitializeAsync()
    {
        host = await StoredApiHost.StartAsync(postgres);
        client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = AtOnce * 4, UseProxy = false }) { BaseAddress = host.Address };
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await host.DisposeAsync();
    }

    [Fact]
    public async Task Whatever_is_asked_nothing_fails_that_is_not_the_clients_fault()
    {
        var steps = await MakeAsync();
        await Parallel.ForEachAsync(steps, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = TestContext.Current.CancellationToken }, async (step, cancel) =>
        {
            var answers = await Task.WhenAll(step.Select(request => SendAsync(request, cancel)));
            // Whoever of them came first, a key stands for one message.
            if (step[0].IdempotencyKey is not null) Assert.True(answers.Where(a => a.Status == 202).Select(a => JsonDocument.Parse(a.Text).RootElement.GetProperty("id").GetString()).Distinct().Count() < 2);
        });

        Assert.Equal(Requests, statuses.Sum());
        Assert.True(failures.IsEmpty, string.Join('\n', failures.Concat(host.Log.Warnings)));
        Assert.Empty(host.Log.Errors);
        // What is asked is not all nonsense: the fuzz reaches what lies behind the checks.
        Assert.All([200, 201, 202, 204, 400, 401, 403, 404, 405, 409, 413, 415, 422], status => Assert.True(statuses[status] > 3, $"{statuses[status]} answers had the status {status}."));
    }

    private async Task<(int Status, string Text)> SendAsync(FuzzedRequest request, CancellationToken cancel)
    {
        using var message = request.ToMessage();
        using var answer = await client.SendAsync(message, cancel);
        var text = await answer.Content.ReadAsStringAsync(cancel);
        Interlocked.Increment(ref statuses[(int)answer.StatusCode]);
        if ((int)answer.StatusCode >= 500) failures.Enqueue($"{request} is answered {(int)answer.StatusCode}: {text}");
        else if ((int)answer.StatusCode >= 400 && message.Method != HttpMethod.Head) AssertIsProblem(request, answer, text);
        return ((int)answer.StatusCode, text);
    }

    private static void AssertIsProblem(FuzzedRequest request, HttpResponseMessage answer, string text)
    {
        Assert.True(answer.Content.Headers.ContentType?.MediaType == "application/problem+json", $"{request} is refused with {(int)answer.StatusCode} and no problem: {text}");
        var problem = JsonDocument.Parse(text).RootElement;
        Assert.Equal((int)answer.StatusCode, problem.GetProperty("status").GetInt32());
        Assert.NotEqual("", problem.GetProperty("code").GetString());
    }

    // One step in five is a group.
    private async Task<List<FuzzedRequest[]>> MakeAsync()
    {
        var acme = await AcmesThings.MakeAsync(host);
        var tenant = await host.KeyAsync("acme", StoredApiHost.AccountScopes);
        var admin = await host.KeyAsync("root", Scopes.Admin);
        // What the admin breaks are things of others, or the tenant would soon have nothing left.
        var disposable = await DisposableAsync();
        var random = new Random(20261127);
        var fuzzer = new RequestFuzzer(random, await ApiOperation.AllAsync(host), acme, disposable, tenant, admin);
        var races = new RequestRaces(random, await RaceAccount.MakeAsync(host, Requests / 7 / RequestRaces.GroupsPerAccount), admin);
        var steps = new List<FuzzedRequest[]>();
        for (var left = Requests; left > 0; left -= steps[^1].Length) steps.Add([.. (random.Next(5) == 0 ? races.Next() : [fuzzer.Next()]).Take(left)]);
        return steps;
    }

    private async Task<IReadOnlyDictionary<string, string[]>> DisposableAsync()
    {
        var (accounts, domains) = (new List<string>(), new List<string>());
        for (var n = 0; n < 20; n++)
        {
            var account = (await host.PostAsync("/v1/accounts", new { name = $"disposable-{n}" })).Json.GetProperty("id").GetString()!;
            accounts.Add(account);
            if (n < 6) domains.Add((await host.PostAsync("/v1/domains", new { name = $"disposable-{n}.example", accountId = account })).Json.GetProperty("id").GetString()!);
        }
        return new Dictionary<string, string[]> { ["accounts"] = [.. accounts], ["domains"] = [.. domains] };
    }
}

/// <summary>A request that was made up.</summary>
internal sealed record FuzzedRequest(string Method, string Path, string? Credentials, byte[]? Body, string? ContentType, string? IdempotencyKey)
{
    public HttpRequestMessage ToMessage()
    {
        var message = new HttpRequestMessage(new HttpMethod(Method), Path);
        if (Credentials is not null) message.Headers.TryAddWithoutValidation("Authorization", Credentials);
        if (IdempotencyKey is not null) message.Headers.TryAddWithoutValidation("Idempotency-Key", IdempotencyKey);
        if (Body is null) return message;
        message.Content = new ByteArrayContent(Body);
        if (ContentType is not null) message.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(ContentType);
        return message;
    }

    public override string ToString() => $"{Method} {Path} {Credentials?[..Math.Min(10, Credentials.Length)]} {ContentType} {(Body is null ? "" : Encoding.UTF8.GetString(Body.AsSpan(0, Math.Min(Body.Length, 500))))}";
}
