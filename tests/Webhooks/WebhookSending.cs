using System.Net;
using Microsoft.Extensions.Time.Testing;
using MoxApi.Mail.Connections;
using MoxApi.Tests.Peers;
using MoxApi.Webhooks.Posting;
using MoxApi.Webhooks.Signing;
using Xunit;

namespace MoxApi.Tests.Webhooks;

/// <summary>A sender of webhooks, and a receiver for what it sends; names lead where <see cref="Addresses"/> says.</summary>
public abstract class WebhookSending : IAsyncLifetime
{
    private protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private protected WebhookSending() => Sender = new(
        new Dialer(new(), TimeProvider.System),
        (host, _) =>
        {
            lock (Resolved) Resolved.Add(host);
            return Unresolved is null ? Task.FromResult(Addresses) : Task.FromException<IPAddress[]>(Unresolved);
        },
        Clock);

    private protected FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero));

    private protected WebhookSecret Secret { get; } = WebhookSecret.Create();

    private protected WebhookSender Sender { get; }

    private protected WebhookReceiver Receiver { get; private set; } = null!;

    /// <summary>The names that were looked up.</summary>
    private protected List<string> Resolved { get; } = [];

    /// <summary>What each name leads to.</summary>
    private protected IPAddress[] Addresses { get; set; } = [IPAddress.Loopback];

    /// <summary>How looking a name up fails, if it does.</summary>
    private protected Exception? Unresolved { get; set; }

    public async ValueTask InitializeAsync() => Receiver = await WebhookReceiver.StartAsync();

    public async ValueTask DisposeAsync()
    {
        Sender.Dispose();
        await Receiver.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected Task<PostResult> PostAsync(Uri url, bool allowPrivate = true, CancellationToken stop = default) =>
        Sender.PostAsync(Post(url, allowPrivate), stop);

    private protected WebhookPost Post(Uri url, bool allowPrivate) => new(url, allowPrivate, [Secret], "evt_1", """{"hello":"wörld"}"""u8.ToArray());

    private protected async Task AdvanceUntilDoneAsync(Task task)
    {
        for (var i = 0; i < 1000 && !task.IsCompleted; i++)
        {
            Clock.Advance(TimeSpan.FromMilliseconds(10)); // In all less than the deadline.
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }
}
