namespace MoxApi.OpenApi.Errors;

/// <summary>The values of <see cref="Problem.Code"/>. They do not change; more may be added.</summary>
public static class ErrorCodes
{
    /// <summary>400: the body is no JSON; the fault tells where.</summary>
    public const string InvalidJson = "invalid_json";

    /// <summary>400: the request is no valid HTTP request.</summary>
    public const string BadRequest = "bad_request";

    /// <summary>401: no credentials, or wrong ones.</summary>
    public const string Unauthorized = "unauthorized";

    /// <summary>403: the key lacks the scope of the operation.</summary>
    public const string MissingScope = "missing_scope";

    /// <summary>403: a test key changes nothing that the account's real mail goes by.</summary>
    public const string TestKey = "test_key";

    /// <summary>403: the account may not send from the address of From.</summary>
    public const string SenderNotAllowed = "sender_not_allowed";

    /// <summary>403: an admin suspended the account; it can be read, and sends nothing.</summary>
    public const string AccountSuspended = "account_suspended";

    /// <summary>403: the account was paused because too much of its mail bounced or was complained about; it sends nothing until an admin resumes it.</summary>
    public const string AccountPaused = "account_paused";

    /// <summary>403: an admin suspended the domain of From.</summary>
    public const string DomainSuspended = "domain_suspended";

    /// <summary>404: there is no such thing, or not in this account.</summary>
    public const string NotFound = "not_found";

    /// <summary>405: the method does not fit the address; the header Allow names those that do.</summary>
    public const string MethodNotAllowed = "method_not_allowed";

    /// <summary>408: the request came too slowly.</summary>
    public const string RequestTimeout = "request_timeout";

    /// <summary>409: a request with this Idempotency-Key is still running.</summary>
    public const string IdempotencyInProgress = "idempotency_in_progress";

    /// <summary>409: the name or address is taken.</summary>
    public const string AlreadyExists = "already_exists";

    /// <summary>409: what is asked does not fit the state of the thing; the title tells why.</summary>
    public const string Conflict = "conflict";

    /// <summary>409: nothing of the message can be canceled or rescheduled any more.</summary>
    public const string NotCancelable = "not_cancelable";

    /// <summary>409: the webhook is disabled, so nothing can be replayed to it.</summary>
    public const string WebhookDisabled = "webhook_disabled";

    /// <summary>410: the message is still listed, but its octets were deleted, for their age or because its recipient's data was erased.</summary>
    public const string ContentDeleted = "content_deleted";

    /// <summary>413: the request is larger than allowed.</summary>
    public const string TooLarge = "too_large";

    /// <summary>415: the body is of a media type that the operation does not take.</summary>
    public const string UnsupportedMediaType = "unsupported_media_type";

    /// <summary>422: the request has the faults listed.</summary>
    public const string InvalidRequest = "invalid_request";

    /// <summary>422: the Idempotency-Key was used with another request.</summary>
    public const string IdempotencyMismatch = "idempotency_mismatch";

    /// <summary>429: too many requests; Retry-After tells when to come back.</summary>
    public const string RateLimited = "rate_limited";

    /// <summary>429: the account's messages for today are used up.</summary>
    public const string DailyLimitReached = "daily_limit_reached";

    /// <summary>500: a fault of the program; nothing was accepted.</summary>
    public const string InternalError = "internal_error";

    /// <summary>503: not now; Retry-After tells when to come back.</summary>
    public const string Unavailable = "unavailable";
}
