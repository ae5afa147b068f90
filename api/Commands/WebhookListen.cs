using System.CommandLine;
using System.CommandLine.Parsing;
using MoxApi.Webhooks.Signing;
using Spectre.Console;

namespace MoxApi.Api.Commands;

/// <summary><c>moxapi webhook listen</c>: shows events as they come. It is an ordinary client of the HTTP API.</summary>
internal static class WebhookListen
{
    /// <summary>The command <c>webhook</c> with its subcommand.</summary>
    public static Command Create()
    {
        var port = new Option<int>("--port") { Description = "The port on 127.0.0.1 to receive on.", DefaultValueFactory = _ => 8025 };
        var api = new Option<Uri>("--api") { Description = "The service to register at.", DefaultValueFactory = _ => new("http://127.0.0.1:1080"), CustomParser = ReadUrl };
        var key = new Option<string>("--key") { Description = "An API key with the scope webhooks.", DefaultValueFactory = _ => "mox_local_sandbox" };
        var secret = new Option<string?>("--secret")
        {
            Description = "The secret (whsec_…) of a webhook that is registered already. Without it one is registered while this runs.",
        };
        port.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 65535) result.AddError("A port is a number from 1 to 65535.");
        });
        secret.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } text && !WebhookSecret.TryParse(text, out _)) result.AddError("A secret is whsec_ and base64.");
        });
        var listen = new Command("listen", "Receive events, verify their signatures and print them.") { port, api, key, secret };
        listen.SetAction((parsed, _) => CommandLine.GuardAsync(stop =>
        {
            var given = WebhookSecret.TryParse(parsed.GetValue(secret), out var read) ? read : null;
            var registration = given is null ? new WebhookRegistration(parsed.GetRequiredValue(api), parsed.GetRequiredValue(key)) : null;
            return RunAsync(parsed.GetValue(port), given, registration, AnsiConsole.Console, stop);
        }));
        return new Command("webhook", "Try out webhooks.") { listen };
    }

    private static Uri? ReadUrl(ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens.Single().Value, UriKind.Absolute, out var url) && url.Scheme is "http" or "https") return url;
        result.AddError("A service has an address such as http://127.0.0.1:1080.");
        return null;
    }

    /// <summary>Receives until told to stop; returns the exit code.</summary>
    internal static async Task<int> RunAsync(int port, WebhookSecret? secret, WebhookRegistration? registration, IAnsiConsole console, CancellationToken stop)
    {
        try
        {
            await using var listener = new WebhookListener(console, TimeProvider.System);
            var url = await listener.StartAsync(port, stop);
            // Registered when it listens already, so that no event finds nobody.
            listener.Secret = secret ?? await registration!.RegisterAsync(url, stop);
            console.MarkupLineInterpolated($"Listening on [bold]{url}[/]; Ctrl-C ends it.");
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return 0;
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException or InvalidOperationException)
        {
            console.MarkupLineInterpolated($"[red]{fault.Message}[/]");
            return 1;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 0;
        }
        finally
        {
            if (registration is not null) await registration.DisposeAsync();
        }
    }
}
