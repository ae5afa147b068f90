using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using MoxApi.Delivery.Composing;
using MoxApi.Delivery.Domains;
using MoxApi.Delivery.Outcomes;
using MoxApi.Delivery.Queue;
using MoxApi.Delivery.Routing;
using MoxApi.Delivery.Submitting;
using MoxApi.Mail.Connections;
using MoxApi.Mail.Dns;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Jobs;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Nodes;
using MoxApi.Migrations.Writing;
using Npgsql;

namespace MoxApi.Delivery;

/// <summary>Puts the room together. The host provides the database, the node's session, ids, secrets, the dialer and the clock.</summary>
public static class DeliveryServices
{
    // Accepts of each kind that wait for PostgreSQL: some ten full groups, or forty of those with a key. Outcomes need no bound, since those that wait are leased rows.
    private const int MaxWaitingAccepts = 10_000;

    /// <summary>Everything that hands messages in: on nodes with the role api or inbound.</summary>
    public static IServiceCollection AddSubmission(this IServiceCollection services)
    {
        // Unless the host has registered one with another limit.
        services.TryAddSingleton<BytesInFlight>();
        return services
            .AddSingleton<DomainSetup>()
            .AddSingleton<MessageComposer>()
            .AddSingleton<Senders>()
            .AddSingleton<SubmissionMetrics>()
            .AddSingleton(s => Started<Accept, Accepted>(s, new AcceptWriter(), retry: false, "accept", MaxWaitingAccepts))
            .AddSingleton(s => Started<IdempotentAccept, Accepted?>(s, new IdempotentAcceptWriter(), retry: false, "accept_with_key", MaxWaitingAccepts))
            .AddSingleton<AcceptCommits>()
            .AddSingleton(s => new Handover(s.GetRequiredService<NodeSession>(), s.GetService<DeliveryEngine>()))
            .AddSingleton(s => new Submission(
                s.GetRequiredService<Senders>(), s.GetRequiredService<MessageComposer>(), s.GetRequiredService<IdBlocks>(), s.GetRequiredService<Lanes>(),
                s.GetRequiredService<AcceptCommits>(), s.GetRequiredService<Handover>(), s.GetRequiredService<BytesInFlight>(),
                s.GetRequiredService<SubmissionMetrics>(), s.GetRequiredService<TimeProvider>()));
    }

    /// <summary>Everything that delivers: on nodes with the role delivery.</summary>
    /// <param name="services">To add to.</param>
    /// <param name="options">How much to do at once.</param>
    /// <param name="client">How to present ourselves.</param>
    /// <param name="sandbox">Where everything goes in the sandbox; absent: by MX records.</param>
    public static IServiceCollection AddDelivery(
        this IServiceCollection services, DeliveryOptions options, SmtpClientOptions client, (string Host, System.Net.IPEndPoint EndPoint)? sandbox)
    {
        if (sandbox is { } fixedWay) services.AddSingleton<IDestinations>(new FixedDestination(fixedWay.Host, fixedWay.EndPoint));
        else services.AddSingleton<IDestinations>(s => new MxDestinations(s.GetRequiredService<MxRouter>(), s.GetRequiredService<OwnDomains>()));
        return services
            .AddSingleton(options)
            .AddSingleton(s => new OwnDomains(s.GetRequiredService<NpgsqlDataSource>(), s.GetRequiredService<DnsResolver>(), s.GetService<OwnListener>()))
            .AddSingleton(s => new SmtpConnector(s.GetRequiredService<Dialer>(), client, s.GetRequiredService<TimeProvider>()))
            .AddSingleton<DeliveryMetrics>()
            .AddSingleton<OutcomeWriter>()
            .AddSingleton(s => Started<Outcome, OutcomeResult>(s, s.GetRequiredService<OutcomeWriter>(), retry: true, "outcome", int.MaxValue))
            .AddSingleton<Orphans>()
            .AddSingleton<QueueReader>()
            .AddSingleton<Admission>()
            .AddSingleton<DeliveryOutcomes>()
            .AddSingleton<LaneWorkers>()
            .AddSingleton<DeliveryEngine>()
            .AddSingleton<DeliveryLoop>()
            .AddSingleton(s => new DeliveryJobs(s.GetRequiredService<DeliveryLoop>(), s.GetRequiredService<NodeSession>()))
            .AddSingleton<IDeliveryJobs>(s => s.GetRequiredService<DeliveryJobs>());
    }

    private static GroupCommit<T, TResult> Started<T, TResult>(IServiceProvider services, IGroupWrite<T, TResult> write, bool retry, string name, int maxWaiting)
    {
        var commit = new GroupCommit<T, TResult>(
            services.GetRequiredService<NpgsqlDataSource>(), write, retry, services.GetRequiredService<TimeProvider>(), name, maxWaiting);
        commit.Start();
        return commit;
    }
}
