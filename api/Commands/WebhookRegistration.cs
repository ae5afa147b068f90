using System.Net.Http.Headers;
using MoxApi.OpenApi;
using MoxApi.OpenApi.Webhooks;
using MoxApi.Webhooks.Signing;

namespace MoxApi.Api.Commands;

/// <summary>A webhook that is registered over the HTTP API for as long as this lives.</summary>
internal sealed class WebhookRegistration : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly HttpClient http;
    private string? id;

    /// <param name="api">The service.</param>
    /// <param name="key">An API key with the scope <c>webhooks</c>.</param>
    public WebhookRegistration(Uri api, string key)
    {
        http = new() { BaseAddress = api, Timeout = Patience };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>Registers a URL for all events that are sent by default, and returns the secret.</summary>
    /// <exception cref="HttpRequestException">The service cannot be reached.</exception>
    /// <exception cref="InvalidOperationException">It refused.</exception>
    public async Task<WebhookSecret> RegisterAsync(Uri url, CancellationToken cancel)
    {
        var request = new CreateWebhookRequest { Url = url.AbsoluteUri, Description = "moxapi webhook listen" };
        using var answer = await PostAsync(request, cancel);
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"{http.BaseAddress} refused the registration: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(cancel)}");
        var made = await answer.Content.ReadFromJsonAsync<CreatedWebhook>(WireJson.Options, cancel);
        id = made!.Id;
        return WebhookSecret.TryParse(made.Secret, out var secret) ? secret : throw new InvalidOperationException("The service answered with no secret.");
    }

    /// <summary>Deletes the registration, if the service is still there.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (id is not null) (await http.DeleteAsync(new Uri($"/v1/webhooks/{id}", UriKind.Relative))).Dispose();
        }
        catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException)
        {
            // Then it is the service's to find out that nobody listens.
        }
        http.Dispose();
    }

    private async Task<HttpResponseMessage> PostAsync(CreateWebhookRequest request, CancellationToken cancel)
    {
        try
        {
            return await http.PostAsJsonAsync(new Uri("/v1/webhooks", UriKind.Relative), request, WireJson.Options, cancel);
        }
        catch (HttpRequestException fault)
        {
            throw new HttpRequestException($"There is no MoxApi at {http.BaseAddress}. Start it with ./moxapi in another terminal, or name another with --api.", fault);
        }
    }
}
