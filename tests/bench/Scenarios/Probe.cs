using System.Net;
using System.Net.Http.Headers;
using MoxApi.Tests.Hosting;

namespace MoxApi.Bench.Scenarios;

/// <summary>Asks a node whether it knows something, with a request that is refused if it does.</summary>
internal static class Probe
{
    /// <summary>Whether something can be posted to a path.</summary>
    public static async Task<bool> TakesAsync(MoxApiProcess node, string key, string path, CancellationToken stop, string contentType = "application/json")
    {
        using var client = node.Client(key);
        using var nothing = new ByteArrayContent([]) { Headers = { ContentType = MediaTypeHeaderValue.Parse(contentType) } };
        using var answer = await client.PostAsync(new Uri(path, UriKind.Relative), nothing, stop);
        return answer.StatusCode is not (HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.UnsupportedMediaType);
    }
}
