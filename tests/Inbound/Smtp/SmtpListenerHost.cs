using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MoxApi.Inbound.Smtp;
using MoxApi.Migrations.Writing;

namespace MoxApi.Tests.Inbound.Smtp;

/// <summary>The listener on a real socket of loopback.</summary>
internal sealed class SmtpListenerHost : IAsyncDisposable
{
    private readonly WebApplication app;

    private SmtpListenerHost(WebApplication app)
    {
        this.app = app;
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        Port = new Uri(address).Port;
    }

    /// <summary>The back-end, where none was given.</summary>
    public RecordingBackend Backend => (RecordingBackend)app.Services.GetRequiredService<ISmtpBackend>();

    public int Port { get; }

    /// <summary>A listener before a <see cref="RecordingBackend"/>.</summary>
    public static Task<SmtpListenerHost> StartAsync(Action<SmtpOptions>? configure = null, TimeProvider? time = null, BytesInFlight? inFlight = null) => StartAsync(services =>
    {
        var options = new SmtpOptions { HostName = "mx.example.org" };
        configure?.Invoke(options);
        services.AddSingleton(inFlight ?? new BytesInFlight()).AddSingleton<ISmtpBackend>(new RecordingBackend()).AddSingleton(time ?? TimeProvider.System).AddSmtp(options);
    });

    /// <summary>A listener before a back-end that is among the services.</summary>
    public static async Task<SmtpListenerHost> StartAsync(Action<IServiceCollection> addServices)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.ClearProviders();
        addServices(builder.Services);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.UseSmtp()));
        var app = builder.Build();
        await app.StartAsync();
        return new SmtpListenerHost(app);
    }

    /// <summary>Connects, and reads the greeting.</summary>
    public async Task<Transcript> ConnectAsync()
    {
        var transcript = await Transcript.ConnectAsync(Port);
        await transcript.ExpectAsync("220 mx.example.org ESMTP MoxApi");
        return transcript;
    }

    /// <summary>Connects, says EHLO and begins a transaction with one recipient.</summary>
    public async Task<Transcript> BeginAsync()
    {
        var transcript = await ConnectAsync();
        await transcript.SendAsync("EHLO client.example");
        await transcript.ExpectAsync("250 ENHANCEDSTATUSCODES");
        await transcript.SayAsync("MAIL FROM:<jane@example.org>", "250 2.0.0 Ok");
        await transcript.SayAsync("RCPT TO:<sam@example.net>", "250 2.0.0 Ok");
        return transcript;
    }

    public Task StopAsync() => app.StopAsync();

    public async ValueTask DisposeAsync() => await app.DisposeAsync();
}
