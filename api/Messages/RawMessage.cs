namespace MoxApi.Api.Messages;

/// <summary>A message as it is on the wire (RFC 5322).</summary>
/// <param name="Id">Its public id.</param>
/// <param name="Size">Its octets.</param>
/// <param name="CopyToAsync">Writes it.</param>
internal sealed record RawMessage(string Id, long Size, Func<Stream, CancellationToken, Task> CopyToAsync) : IResult
{
    public const string MediaType = "message/rfc822";

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.ContentType = MediaType;
        response.ContentLength = Size;
        // Somebody else's HTML must never be shown as a page of ours.
        response.Headers.ContentDisposition = $"attachment; filename=\"{Id}.eml\"";
        response.Headers.XContentTypeOptions = "nosniff";
        return CopyToAsync(response.Body, httpContext.RequestAborted);
    }
}
