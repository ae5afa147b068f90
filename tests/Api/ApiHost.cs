using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MoxApi.Api;
using MoxApi.Api.Access;
using MoxApi.Api.Accounts;
using MoxApi.Api.Hosting;
using MoxApi.Api.Messages;
using MoxApi.Api.Received;
using MoxApi.Api.Suppressions;
using MoxApi.Api.Webhooks;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Writing;
using MoxApi.OpenApi.Access;
using MoxApi.Tests.Api.Suppressions;
using Xunit;

namespace MoxApi.Tests.Api;

/// <summary>The HTTP API on a real Kestrel, over an account in memory.</summary>
public sealed class ApiHost : IAsyncLifetime
{
    /// <summary>A key with every scope but admin.</summary>
    public const string Key = "mox_test";

    /// <summary>A key of another account, with the scope read.</summary>
    public const string OtherKey = "mox_other";

    private readonly WebApplication _app;

    public ApiHost()
        : this(new ApiOptions())
    {
    }

    internal ApiHost(ApiOptions options, BytesInFlight? inFlight = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(new Settings { DataFolder = "/", Listeners = new() { Http = ["127.0.0.1:0"] }, Api = options }));
        builder.Services.AddRoutingCore().AddLogging(log => log.ClearProviders());
        builder.Services.AddSingleton(InFlight = inFlight ?? new BytesInFlight());
        builder.Services.AddMoxApiEndpoints().AddSingleton(Options.Create(options));
        builder.Services.AddSingleton<MoxApi.Api.Access.ICredentials>(new Credentials()).AddSingleton<IMessages>(Account).AddSingleton<IScheduledMessages>(Account).AddSingleton<IWebhooks>(Account).AddSingleton<IWebhookDeliveries>(Account).AddSingleton<IReceivedMessages>(Account)
            .AddSingleton<ISuppressions, SuppressionsInMemory>();
        // Administration has nothing in memory: it is tested on a database, and here only described.
        builder.Services.AddAdministration().AddSingleton(new PublicIds(new byte[16]));
        _app = builder.Build();
        _app.MapMoxApi();
    }

    internal AccountInMemory Account { get; } = new();

    internal BytesInFlight InFlight { get; }

    internal IServiceProvider Services => _app.Services;

    public HttpClient Client { get; } = new();

    public async ValueTask InitializeAsync()
    {
        await _app.StartAsync();
        Client.BaseAddress = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    public Task<Answer> GetAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Get, path));

    public Task<Answer> PostAsync(string path, string json) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") });

    public Task<Answer> PatchAsync(string path, string json) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Patch, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") });

    public async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using var response = await Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var isJson = response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true;
        return new Answer((int)response.StatusCode, response.Headers, response.Content.Headers, text, isJson ? JsonDocument.Parse(text).RootElement : default);
    }

    private sealed class Credentials : MoxApi.Api.Access.ICredentials
    {
        public Task<Caller?> FindByKeyAsync(string key, CancellationToken cancellationToken) => Task.FromResult(key switch
        {
            Key => new Caller(1, new HashSet<string> { Scopes.Send, Scopes.Read, Scopes.Webhooks, Scopes.Suppressions }),
            OtherKey => new Caller(2, new HashSet<string> { Scopes.Read }),
            "mox_reader" => new Caller(1, new HashSet<string> { Scopes.Read }),
            "mox_admin" => new Caller(1, new HashSet<string> { Scopes.Admin }),
            _ => null,
        });

        public Task<Caller?> FindByPasswordAsync(string address, string password, IPAddress client, CancellationToken cancellationToken) =>
            Task.FromResult((address, password) switch
            {
                ("jane@acme.example", "pass:word") => new Caller(1, new HashSet<string> { Scopes.Read }),
                ("sam@acme.example", "pass") => new Caller(1, new HashSet<string> { Scopes.Send, Scopes.Read }),
                _ => null,
            });
    }
}

/// <summary>An answer, read whole.</summary>
public sealed record Answer(int Status, HttpResponseHeaders Headers, HttpContentHeaders ContentHeaders, string Text, JsonElement Json)
{
    /// <summary>The faults as <c>pointer code</c>, in the order given.</summary>
    public string[] Faults => [.. Json.GetProperty("errors").EnumerateArray().Select(fault =>
        (fault.TryGetProperty("pointer", out var pointer) ? pointer : fault.GetProperty("parameter")).GetString() + " " + fault.GetProperty("code").GetString())];

    public string Code => Json.GetProperty("code").GetString()!;
}
