using Microsoft.Extensions.Logging;
using MoxApi.Delivery.Outcomes;
using MoxApi.Delivery.Routing;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Nodes;
using Npgsql;

namespace MoxApi.Delivery.Queue;

/// <summary>Runs workers: what they all use.</summary>
internal sealed partial class LaneWorkers(
    DeliveryOptions options, IDestinations destinations, SmtpConnector connector, QueueReader reader, Admission admission, DeliveryOutcomes outcomes,
    NodeSession session, PublicIds publicIds, TimeProvider time, ILogger<LaneWorker> logger)
{
    public DeliveryOptions Options => options;
    public QueueReader Reader => reader;
    public Admission Admission => admission;
    public DeliveryOutcomes Outcomes => outcomes;
    public NodeSession Session => session;
    public TimeProvider Time => time;
    public ILogger<LaneWorker> Logger => logger;

    /// <summary>What there is to tell of a recipient that was not tried.</summary>
    public AttemptRecord NoAttempt => new(time.GetUtcNow(), TimeSpan.Zero, null, null, null, []);

    /// <summary>Works on a lane until it has no rows.</summary>
    public async Task RunAsync(DeliveryEngine engine, WorkerSlot slot, CancellationToken stop, CancellationToken abort)
    {
        await using var worker = new LaneWorker(this, engine, slot, stop, abort);
        await worker.RunAsync();
    }

    /// <summary>Gives rows back on which nothing was decided. Where PostgreSQL cannot be reached, the loop finds them later, as strays.</summary>
    public async Task GiveBackAsync(MailDomain domain, IReadOnlyCollection<ReadyRow> rows)
    {
        try
        {
            await reader.ReleaseAsync(rows, CancellationToken.None);
        }
        catch (NpgsqlException fault)
        {
            Log.NotGivenBack(logger, domain.Ascii, rows.Count, fault.Message);
        }
    }

    /// <summary>Settles rows whose destination cannot be read as it is stored.</summary>
    public async Task FailAsync(long lease, long[] rows, CancellationToken cancel)
    {
        Log.Unreadable(logger, rows.Length);
        var outlines = await reader.OutlinesAsync(lease, rows, cancel);
        await Task.WhenAll(outlines.Select(row => outcomes.CommitAsync(row, NoAttempt, Verdict.OwnFault, false)));
    }

    /// <summary>Begins a walk over a destination's servers.</summary>
    public Route RouteTo(MailDomain domain, ConnectionNeed need, CancellationToken giveUp, CancellationToken abort) =>
        new(destinations, connector, domain, need, options, time, giveUp, abort);

    /// <summary>The id under which people know a thing.</summary>
    public string PublicId(PublicIdKind kind, long id) => publicIds.Make(kind, id);

    /// <summary>The reverse-path of a recipient: the message's, or an unguessable one that names the recipient.</summary>
    public MailAddress? ReversePath(QueuedRecipient recipient) => recipient.Message.ReturnPathDomain is { } domain
        ? MailAddress.Parse($"{publicIds.Make(PublicIdKind.ReturnPath, recipient.Id)}@{domain}")
        : recipient.Message.ReversePath;

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The destination of {Count} recipients cannot be read as it is stored")]
        internal static partial void Unreadable(ILogger logger, int count);

        [LoggerMessage(LogLevel.Warning, "Rows for {Domain} ({Count}) could not be given back: {Fault}")]
        internal static partial void NotGivenBack(ILogger logger, string domain, int count, string fault);
    }
}
