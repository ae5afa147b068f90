namespace MoxApi.Mail.Dns;

/// <summary>
/// Remembers answers until they expire, never more than a fixed number, and asks a question only once however many wait for it.
/// DnsClient's own cache has no bound, no <see cref="TimeProvider"/> and asks once per waiter.
/// </summary>
internal sealed class DnsCache(int capacity, TimeProvider clock)
{
    private readonly Lock gate = new();
    private readonly Dictionary<DnsKey, Task<DnsLookup>> answers = [];

    public int Count
    {
        get { lock (gate) return answers.Count; }
    }

    /// <summary>The remembered answer, or that of <paramref name="ask"/>, which never throws and has a deadline of its own.</summary>
    public Task<DnsLookup> GetAsync(DnsKey key, Func<DnsKey, Task<DnsLookup>> ask, CancellationToken stop)
    {
        lock (gate)
        {
            if (answers.TryGetValue(key, out var known) && !HasExpired(known, clock.GetUtcNow())) return known.WaitAsync(stop);
            if (answers.Count >= capacity) MakeRoom();
            // Run apart: one who stops waiting does not take the answer from the others.
            var answer = Task.Run(() => ask(key), CancellationToken.None);
            answers[key] = answer;
            return answer.WaitAsync(stop);
        }
    }

    private static bool HasExpired(Task<DnsLookup> answer, DateTimeOffset now) =>
        answer.IsCompleted && (!answer.IsCompletedSuccessfully || answer.Result.Expires <= now);

    // A quarter goes at once, so that the walk over all is rare: what has expired first, then whatever comes.
    private void MakeRoom()
    {
        var now = clock.GetUtcNow();
        foreach (var (key, _) in answers.Where(each => HasExpired(each.Value, now)).ToList()) answers.Remove(key);
        var surplus = answers.Count - (capacity * 3 / 4);
        foreach (var (key, _) in answers.Where(each => each.Value.IsCompleted).Take(surplus).ToList()) answers.Remove(key);
    }
}
