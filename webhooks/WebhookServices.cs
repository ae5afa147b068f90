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

/// <summary>Puts the room together. The host provides the database, the node's session, ids, secrets, the dialer, the DNS resolver and the clock.</summary>
public static class WebhookServices
{
    /// <summary>Everything that manages webhooks and reads events: on nodes with the role api.</summary>
    /// <param name="services">To add to.</param>
    /// <param name="allowHttp">Whether any endpoint may be without TLS, as in the local sandbox.</param>
    public static IServiceCollection AddWebhookManagement(this IServiceCollection services, bool allowHttp) => services
        .AddSingleton<MessageEvents>()
        .AddSingleton(s => new WebhookEndpoints(
            s.GetRequiredService<IDbContextFactory<MailDbContext>>(), s.GetRequiredService<PublicIds>(), s.GetRequiredService<SecretBox>(), allowHttp,
            s.GetRequiredService<TimeProvider>()));

    /// <summary>Everything that posts events: on nodes with the role webhooks.</summary>
    public static IServiceCollection AddWebhookDispatch(this IServiceCollection services) => services
        .AddSingleton<HostNames>()
        .AddSingleton(s => new WebhookSender(
            s.GetRequiredService<Dialer>(), s.GetRequiredService<HostNames>().AddressesAsync, s.GetRequiredService<TimeProvider>()))
        .AddSingleton<WebhookDispatcher>()
        .AddSingleton<WebhookJobs>()
        .AddSingleton<IWebhookJobs>(s => s.GetRequiredService<WebhookJobs>());
}
