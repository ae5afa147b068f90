using System.Net;
using System.Net.Sockets;
using MoxApi.Api.Problems;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Access;

/// <summary>
/// How many logins may fail, by the network they come from. Only failures count, so who has the right password may log in as often as he
/// likes. Each failure counts for three networks around its address, which bounds also those who own many addresses.
/// </summary>
internal sealed class LoginBudget(TimeProvider time)
{
    /// <summary>
    /// The most networks remembered. A failure takes a hash, and two hashes at once make some 40 a second: so many never come within a
    /// minute, and forgetting the networks of earlier minutes always makes room.
    /// </summary>
    public const int MaxNetworks = 50_000;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    // What one host has, what one customer may have, what a small provider may have.
    private static readonly Level[] Levels = [new(32, 64, 10, 50), new(26, 48, 30, 150), new(21, 32, 90, 450)];

    private readonly Lock gate = new();
    private readonly Dictionary<IPNetwork, Failures> networks = [];

    /// <summary>The networks remembered.</summary>
    public int Count
    {
        get
        {
            lock (gate) return networks.Count;
        }
    }

    /// <summary>The smallest network around an address, which one host has.</summary>
    public static IPNetwork HostOf(IPAddress client) => Levels[0].Around(client);

    /// <summary>How long an address has to wait until it may try again; null where it may now.</summary>
    public TimeSpan? Wait(IPAddress client)
    {
        var now = time.GetUtcNow();
        TimeSpan? longest = null;
        lock (gate)
        {
            foreach (var level in Levels)
            {
                if (!networks.TryGetValue(level.Around(client), out var failures)) continue;
                if (failures.InDay(now) >= level.PerDay) longest = Longer(longest, Rest(now, Day));
                else if (failures.InMinute(now) >= level.PerMinute) longest = Longer(longest, Rest(now, Minute));
            }
        }
        return longest;
    }

    /// <summary>Refuses an address that has to wait.</summary>
    /// <exception cref="RefusalException">With status 429, and when to come back.</exception>
    public void ThrowIfExhausted(IPAddress client)
    {
        if (Wait(client) is { } wait)
            throw new RefusalException(new Refusal(StatusCodes.Status429TooManyRequests, ErrorCodes.RateLimited, "Too many logins from your network failed.") { RetryAfter = wait });
    }

    /// <summary>A login failed.</summary>
    public void Fail(IPAddress client)
    {
        var now = time.GetUtcNow();
        lock (gate)
        {
            if (networks.Count > MaxNetworks - Levels.Length) Forget(now);
            foreach (var network in Levels.Select(level => level.Around(client))) networks[network] = networks.GetValueOrDefault(network).Add(now);
        }
    }

    private void Forget(DateTimeOffset now)
    {
        Remove(failures => failures.InDay(now) == 0);
        if (networks.Count > MaxNetworks / 2) Remove(failures => failures.InMinute(now) == 0);
    }

    private void Remove(Predicate<Failures> old)
    {
        foreach (var (network, failures) in networks)
        {
            if (old(failures)) networks.Remove(network);
        }
    }

    private static TimeSpan Rest(DateTimeOffset now, TimeSpan window) => window - TimeSpan.FromTicks(now.UtcTicks % window.Ticks);

    private static TimeSpan Longer(TimeSpan? one, TimeSpan other) => one > other ? one.Value : other;

    private readonly record struct Level(int V4, int V6, int PerMinute, int PerDay)
    {
        public IPNetwork Around(IPAddress client)
        {
            if (client.IsIPv4MappedToIPv6) client = client.MapToIPv4();
            var length = client.AddressFamily == AddressFamily.InterNetworkV6 ? V6 : V4;
            Span<byte> octets = stackalloc byte[16];
            client.TryWriteBytes(octets, out var written);
            for (var bit = length; bit < written * 8; bit++) octets[bit / 8] &= (byte)~(0x80 >> (bit % 8));
            return new IPNetwork(new IPAddress(octets[..written]), length);
        }
    }

    // Windows begin with the minute and with the day, UTC.
    private readonly record struct Failures(long MinuteNumber, int MinuteCount, long DayNumber, int DayCount)
    {
        public int InMinute(DateTimeOffset now) => MinuteNumber == Number(now, Minute) ? MinuteCount : 0;

        public int InDay(DateTimeOffset now) => DayNumber == Number(now, Day) ? DayCount : 0;

        public Failures Add(DateTimeOffset now) => new(Number(now, Minute), InMinute(now) + 1, Number(now, Day), InDay(now) + 1);

        private static long Number(DateTimeOffset now, TimeSpan window) => now.UtcTicks / window.Ticks;
    }
}
