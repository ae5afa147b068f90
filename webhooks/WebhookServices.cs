using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MoxApi.Mail.Connections;
using MoxApi.Migrations;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Jobs;
using MoxApi.Migrations.Secrets;
using MoxApi.Webhooks.Dispatch;
using MoxApi.Webhooks.Endpoints;
using MoxApi.Webhooks.Events;
using MoxApi.Webhooks.Posting;

namespace MoxApi.Webhooks;

/// <summary>What the host adds for webhooks.</summary>
public static class WebhookServices
{
    /// <summary>
    /// Adds webhooks and their events for the API, and for the role <see cref="WebhookDispatcher.Role"/> the dispatcher with its job. They need
    /// a data source, contexts, public ids, secrets, a dialer, a clock, and, for the role, the node's session.
    /// </summary>
    /// <param name="services">The host's.</param>
    /// <param name="allowHttp">Whether any endpoint may be without TLS, as in the local sandbox.</param>
    public static IServiceCollection AddWebhooks(this IServiceCollection services, bool allowHttp) => services
        .AddSingleton<MessageEvents>()
        .AddSingleton(all => new WebhookEndpoints(
            all.GetRequiredService<IDbContextFactory<MailDbContext>>(),
            all.GetRequiredService<PublicIds>(),
            all.GetRequiredService<SecretBox>(),
            allowHttp,
            all.GetRequiredService<TimeProvider>()))
        .AddSingleton(all => new WebhookSender(all.GetRequiredService<Dialer>(), Dns.GetHostAddressesAsync, all.GetRequiredService<TimeProvider>()))
        .AddSingleton<WebhookDispatcher>()
        .AddSingleton<IWebhookJobs, WebhookJobs>();
}
