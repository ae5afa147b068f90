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
internal sealed class AccountLimits : IDisposable
{
    // Idle accounts are forgotten by the limiters themselves.
    private readonly PartitionedRateLimiter<Caller>? rate;
    private readonly PartitionedRateLimiter<Caller>? atOnce;
    private readonly ApiOptions limits;
    private readonly string policy;

    public AccountLimits(IOptions<ApiOptions> options)
    {
        limits = options.Value;
        policy = string.Create(CultureInfo.InvariantCulture, $"\"requests\";q={limits.Burst};w={SecondsUntil(limits.Burst)}");
        if (limits.RequestsPerSecond > 0) rate = PartitionedRateLimiter.Create<Caller, long>(caller => RateLimitPartition.GetTokenBucketLimiter(caller.AccountId, Bucket));
        if (limits.MaxConcurrentRequests > 0) atOnce = PartitionedRateLimiter.Create<Caller, long>(caller => RateLimitPartition.GetConcurrencyLimiter(caller.AccountId, Places));
    }

    /// <summary>Lets a request through, or answers 429.</summary>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<Caller>() is not { } caller)
        {
            await next(context);
            return;
        }
        using var token = rate?.AttemptAcquire(caller);
        if (token is not null) Announce(context.Response, caller);
        using var place = token is { IsAcquired: false } ? null : atOnce?.AttemptAcquire(caller);
        if (token is { IsAcquired: false }) await Refuse($"An account may make {limits.RequestsPerSecond} requests per second.", Wait(token)).ExecuteAsync(context);
        else if (place is { IsAcquired: false }) await Refuse($"An account may have {limits.MaxConcurrentRequests} requests running at once.", TimeSpan.FromSeconds(1)).ExecuteAsync(context);
        else await next(context);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        rate?.Dispose();
        atOnce?.Dispose();
    }

    private TokenBucketRateLimiterOptions Bucket(long account) => new()
    {
        TokenLimit = limits.Burst,
        TokensPerPeriod = limits.RequestsPerSecond,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        QueueLimit = 0,
    };

    private ConcurrencyLimiterOptions Places(long account) => new() { PermitLimit = limits.MaxConcurrentRequests, QueueLimit = 0 };

    // As late as can be: an answer that becomes a problem document begins anew without what was set before.
    private void Announce(HttpResponse response, Caller caller)
    {
        var left = (int)(rate!.GetStatistics(caller)?.CurrentAvailablePermits ?? 0);
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
}
