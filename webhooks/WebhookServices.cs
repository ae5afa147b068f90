using Microsoft.Extensions.DependencyInjection;
using MoxApi.Mail.Connections;
using MoxApi.Migrations.Jobs;
using MoxApi.Webhooks.Dispatch;
using MoxApi.Webhooks.Endpoints;
using MoxApi.Webhooks.Events;
using MoxApi.Webhooks.Posting;

namespace MoxApi.Webhooks;

/// <summary>Puts the room together. The host provides the database, the node's session, ids, secrets, the dialer, the DNS resolver and the clock.</summary>
public static class WebhookServices
{
    /// <summary>Everything that manages webhooks and reads events: on nodes with the role api.</summary>
    public static IServiceCollection AddWebhookManagement(this IServiceCollection services) => services
        .AddSingleton<MessageEvents>()
        .AddSingleton<WebhookEndpoints>()
        .AddSingleton<WebhookDeliveries>()
        .AddSingleton<WebhookReplays>();

    /// <summary>Everything that posts events: on nodes with the role webhooks.</summary>
    public static IServiceCollection AddWebhookDispatch(this IServiceCollection services) => services
        .AddSingleton<HostNames>()
        .AddSingleton(s => new WebhookSender(
            s.GetRequiredService<Dialer>(), s.GetRequiredService<HostNames>().AddressesAsync, s.GetRequiredService<TimeProvider>()))
        .AddSingleton<WebhookMetrics>()
        .AddSingleton<WebhookDispatcher>()
        .AddSingleton<WebhookJobs>()
        .AddSingleton<IWebhookJobs>(s => s.GetRequiredService<WebhookJobs>());
}
