using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using MoxApi.Api.Accounts;
using MoxApi.Api.Hosting;
using MoxApi.Delivery;
using MoxApi.Migrations.Jobs;
using MoxApi.Migrations.Nodes;
using MoxApi.Webhooks.Dispatch;

namespace MoxApi.Api.Jobs;

/// <summary>
/// Sees to it that this node's resident jobs run: one for each role that works off a queue, in the node's own Hangfire queue, so that Hangfire
/// runs, shows and stops them. The number of Hangfire jobs does not grow with the mail.
/// </summary>
internal sealed partial class ResidentJobs(
    IServiceProvider services, Settings settings, NodeSession session, IBackgroundJobClientV2 jobs, IRecurringJobManagerV2 recurring, TimeProvider time,
    ILogger<ResidentJobs> logger) : BackgroundService
{
    /// <summary>The queue of chores, which any node does.</summary>
    public const string Chores = "chores";

    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(15);

    // Both loops go round at least every 10 s at rest, and may miss a round, or be started anew.
    private static readonly TimeSpan Stuck = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Missed = TimeSpan.FromSeconds(30);

    private readonly long startedAt = time.GetTimestamp();
    private long lastSeenRunning; // 0 before they first were.

    /// <summary>A node's own queue.</summary>
    public static string QueueOf(string node) => $"node-{node}";

    /// <summary>Whether every resident job of this node runs, or did within the last 30 seconds.</summary>
    public bool IsRunning
    {
        get
        {
            if (Residents().All(r => r.IsRunning && r.SinceLastRound < Stuck)) Volatile.Write(ref lastSeenRunning, time.GetTimestamp());
            return Volatile.Read(ref lastSeenRunning) is not 0 and var seen && time.GetElapsedTime(seen) < Missed;
        }
    }

    /// <summary>How long the node has run.</summary>
    public TimeSpan Uptime => time.GetElapsedTime(startedAt);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var scheduled = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                foreach (var resident in Residents().Where(r => !r.IsRunning)) jobs.Create(resident.Job, new EnqueuedState(QueueOf(session.Node)));
                // Only now, and without holding up a stop: each chore waits for a lock, which a program that was killed may have left.
                if (!scheduled) await Task.Run(ScheduleChores, stoppingToken).WaitAsync(stoppingToken);
                scheduled = true;
            }
            catch (Exception fault) when (!stoppingToken.IsCancellationRequested)
            {
                // PostgreSQL is away, or a lock. A fault that left this method would stop the program.
                Log.NotEnqueued(logger, fault.Message);
            }
            catch (Exception)
            {
                return; // Stopped.
            }
            await Task.Delay(CheckEvery, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void ScheduleChores()
    {
        recurring.AddOrUpdate<Chores>("books", Chores, c => c.CheckBooks(CancellationToken.None), "17 * * * *");
        recurring.AddOrUpdate<Chores>("dead-nodes", Chores, c => c.ForgetDeadNodes(CancellationToken.None), "*/10 * * * *");
        recurring.AddOrUpdate<Chores>("idempotency-keys", Chores, c => c.ForgetIdempotencyKeys(CancellationToken.None), "5 * * * *");
        recurring.AddOrUpdate<Upkeep>("pauses", Chores, u => u.PauseAccounts(CancellationToken.None), "* * * * *");
        recurring.AddOrUpdate<Upkeep>("retention", Chores, u => u.DeleteOld(CancellationToken.None), "27 * * * *");
        recurring.AddOrUpdate<Upkeep>("orphaned-bodies", Chores, u => u.SweepBodies(CancellationToken.None), "43 3 * * 0");
        recurring.AddOrUpdate<AdministrationChores>("administration", Chores, c => c.CatchUp(CancellationToken.None), "* * * * *");
    }

    private IEnumerable<(bool IsRunning, TimeSpan SinceLastRound, Job Job)> Residents()
    {
        if (settings.Node.Has(Roles.Delivery))
        {
            var delivery = services.GetRequiredService<DeliveryJobs>();
            yield return (delivery.IsRunning, delivery.SinceLastRound, Job.FromExpression<IDeliveryJobs>(j => j.DrainDelivery(session.Node, CancellationToken.None)));
        }
        if (settings.Node.Has(Roles.Webhooks))
        {
            var webhooks = services.GetRequiredService<WebhookJobs>();
            yield return (webhooks.IsRunning, webhooks.SinceLastRound, Job.FromExpression<IWebhookJobs>(j => j.DrainWebhooks(session.Node, CancellationToken.None)));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The resident jobs and chores could not be enqueued; it is tried again: {Fault}")]
        internal static partial void NotEnqueued(ILogger logger, string fault);
    }
}
