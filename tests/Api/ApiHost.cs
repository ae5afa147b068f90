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
using MoxApi.Api;
using MoxApi.Api.Access;
using MoxApi.Api.Messages;
using MoxApi.Api.Received;
using MoxApi.Api.Suppressions;
using MoxApi.Api.Webhooks;
using MoxApi.OpenApi.Access;
using MoxApi.Tests.Api.Suppressions;
using Xunit;

namespace MoxApi.Tests.Api;

/// <summary>The HTTP API on a real Kestrel, over an account in memory.</summary>
public sealed class ApiHost : IAsyncLifetime
{
    /// <summary>A key with every scope but admin.</summary>
    public const string Key = "mox_test";

    private readonly WebApplication _app;

    public ApiHost()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRoutingCore().AddLogging(log => log.ClearProviders());
        builder.Services.AddMoxApiEndpoints();
        builder.Services.Configure<ApiOptions>(options => options.AllowHttpWebhooks = false);
        builder.Services.AddSingleton<MoxApi.Api.Access.ICredentials>(new Credentials()).AddSingleton<IMessages>(Account).AddSingleton<IWebhooks>(Account).AddSingleton<IWebhookDeliveries>(Account).AddSingleton<IReceivedMessages>(Account)
            .AddSingleton<ISuppressions, SuppressionsInMemory>();
        _app = builder.Build();
        _app.MapMoxApi();
    }

    internal AccountInMemory Account { get; } = new();

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
            "mox_reader" => new Caller(1, new HashSet<string> { Scopes.Read }),
            "mox_admin" => new Caller(1, new HashSet<string> { Scopes.Admin }),
            _ => null,
        });

        public Task<Caller?> FindByPasswordAsync(string address, string password, IPAddress client, CancellationToken cancellationToken) =>
            Task.FromResult(address == "jane@acme.example" && password == "pass:word" ? new Caller(1, new HashSet<string> { Scopes.Read }) : null);
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
