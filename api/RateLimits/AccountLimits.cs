using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using MoxApi.Api.Access;
using MoxApi.Api.Problems;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.RateLimits;

/// <summary>
/// Bounds what an account asks of this node: requests per second, by a bucket of tokens, and requests at once. Every answer says what is left in
/// the fields of draft-ietf-httpapi-ratelimit-headers. Requests without valid credentials belong to no account and pass: they are refused elsewhere.
/// </summary>
internal sealed class AccountLimits
{
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(1);

    // A PartitionedRateLimiter is this too, but has a timer that wakes the processor ten times a second.
    private readonly ConcurrentDictionary<long, Share> shares = [];
    private readonly TimeProvider time;
    private readonly ApiOptions limits;
    private readonly string policy;
    private long sweptAt;

    public AccountLimits(IOptions<ApiOptions> options, TimeProvider time)
    {
        (this.time, sweptAt) = (time, time.GetTimestamp());
        limits = options.Value;
        policy = string.Create(CultureInfo.InvariantCulture, $"\"requests\";q={limits.Burst};w={SecondsUntil(limits.Burst)}");
    }

    /// <summary>Lets a request through, or answers 429.</summary>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<Caller>() is not { } caller)
        {
            await next(context);
            return;
        }
        var share = ShareOf(caller.AccountId);
        share.Rate?.TryReplenish();
        using var token = share.Rate?.AttemptAcquire();
        if (share.Rate is not null) Announce(context.Response, share.Rate);
        using var place = token is { IsAcquired: false } ? null : share.AtOnce?.AttemptAcquire();
        if (token is { IsAcquired: false }) await Refuse($"An account may make {limits.RequestsPerSecond} requests per second.", Wait(token)).ExecuteAsync(context);
        else if (place is { IsAcquired: false }) await Refuse($"An account may have {limits.MaxConcurrentRequests} requests running at once.", TimeSpan.FromSeconds(1)).ExecuteAsync(context);
        else await next(context);
    }

    private Share ShareOf(long account)
    {
        Sweep();
        return shares.GetOrAdd(account, _ => new(Bucket(), Places()));
    }

    // Whose bucket is full, and who has nothing running, is as if he had never come.
    private void Sweep()
    {
        var last = Volatile.Read(ref sweptAt);
        if (time.GetElapsedTime(last) < SweepEvery || Interlocked.CompareExchange(ref sweptAt, time.GetTimestamp(), last) != last) return;
        foreach (var (account, share) in shares)
        {
            if (share.IsIdle) shares.TryRemove(account, out _);
        }
    }

    private TokenBucketRateLimiter? Bucket() => limits.RequestsPerSecond == 0 ? null : new(new()
    {
        TokenLimit = limits.Burst,
        TokensPerPeriod = limits.RequestsPerSecond,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        AutoReplenishment = false,
        QueueLimit = 0,
    });

    private ConcurrencyLimiter? Places() => limits.MaxConcurrentRequests == 0 ? null : new(new() { PermitLimit = limits.MaxConcurrentRequests, QueueLimit = 0 });

    // As late as can be: an answer that becomes a problem document begins anew without what was set before.
    private void Announce(HttpResponse response, TokenBucketRateLimiter rate)
    {
        var left = (int)(rate.GetStatistics()?.CurrentAvailablePermits ?? 0);
        response.OnStarting(() =>
        {
            response.Headers["RateLimit-Policy"] = policy;
            response.Headers["RateLimit"] = string.Create(CultureInfo.InvariantCulture, $"\"requests\";r={left};t={SecondsUntil(limits.Burst - left)}");
            return Task.CompletedTask;
        });
    }

    // How long the bucket takes to win so many tokens.
    private int SecondsUntil(int tokens) => limits.RequestsPerSecond == 0 ? 0 : (tokens + limits.RequestsPerSecond - 1) / limits.RequestsPerSecond;

    private static TimeSpan Wait(RateLimitLease token) =>
        token.TryGetMetadata(MetadataName.RetryAfter, out var wait) && wait > TimeSpan.FromSeconds(1) ? wait : TimeSpan.FromSeconds(1);

    private static Refusal Refuse(FormattableString why, TimeSpan wait) =>
        new(StatusCodes.Status429TooManyRequests, ErrorCodes.RateLimited, FormattableString.Invariant(why)) { RetryAfter = wait };

    // Neither has a timer or anything else to be disposed of.
    private sealed record Share(TokenBucketRateLimiter? Rate, ConcurrencyLimiter? AtOnce)
    {
        public bool IsIdle
        {
            get
            {
                Rate?.TryReplenish();
                return Rate is null or { IdleDuration: not null } && (AtOnce is null or { IdleDuration: not null });
            }
        }
    }
}
