using Microsoft.Extensions.Logging.Abstractions;
using MoxApi.Migrations.Nodes;
using MoxApi.Webhooks;
using MoxApi.Webhooks.Dispatch;
using MoxApi.Webhooks.Posting;

namespace MoxApi.Tests.Webhooks;

/// <summary>A node beside the bed's own, which posts events from the same database.</summary>
internal sealed class WebhookNode : IAsyncDisposable
{
    private readonly CancellationTokenSource stopping = new();
    private readonly WebhookMetrics metrics = new();
    private readonly WebhookBed bed;
    private readonly WebhookDispatcher dispatcher;
    private Task draining = Task.CompletedTask;

    private WebhookNode(WebhookBed bed, NodeSession session, WebhookSender sender)
    {
        (this.bed, Session) = (bed, session);
        dispatcher = new(bed.Database, session, bed.Ids, bed.Secrets, sender, metrics, bed.Clock, NullLogger<WebhookDispatcher>.Instance);
    }

    public NodeSession Session { get; }

    public static async Task<WebhookNode> StartAsync(WebhookBed bed, string name, WebhookSender sender)
    {
        var session = new NodeSession(bed.Database, name, [WebhookDispatcher.Role], new LeaseTimes(), TimeProvider.System, NullLogger<NodeSession>.Instance);
        await session.StartAsync(default);
        return new(bed, session, sender);
    }

    public void Drain() => draining = dispatcher.DrainAsync(stopping.Token);

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await WebhookBed.UntilAsync(() =>
        {
            bed.Clock.Advance(TimeSpan.FromMilliseconds(500));
            return Task.FromResult(draining.IsCompleted);
        });
        await draining;
        await dispatcher.DisposeAsync();
        await Session.DisposeAsync();
        metrics.Dispose();
        stopping.Dispose();
    }
}
