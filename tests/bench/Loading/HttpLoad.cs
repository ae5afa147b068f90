namespace MoxApi.Bench.Loading;

/// <summary>Requests from a <see cref="Template"/> over one connection.</summary>
internal sealed class HttpLoad : ILoadConnection
{
    private readonly HttpConnection connection;
    private readonly Template request;
    private readonly int domains;
    private readonly int step;
    private readonly byte[] octets;

    private HttpLoad(HttpConnection connection, Template request, int domains, int step)
    {
        (this.connection, this.request, this.domains, this.step) = (connection, request, domains, step);
        octets = request.Copy();
    }

    /// <summary>Opens connections for requests to a server.</summary>
    /// <param name="server">Where to.</param>
    /// <param name="request">With its header.</param>
    /// <param name="domains">To how many domains the messages go in turn.</param>
    /// <param name="step">How many messages are in one request.</param>
    public static Func<CancellationToken, Task<ILoadConnection>> To(Uri server, Template request, int domains, int step = 1) =>
        async stop => new HttpLoad(await HttpConnection.OpenAsync(server, stop), request, domains, step);

    /// <inheritdoc/>
    public async ValueTask<string?> SendAsync(int number, CancellationToken stop)
    {
        request.Fill(octets, number * step, domains);
        return await connection.SendAsync(stop, octets) is >= 200 and < 300 ? null : connection.Describe();
    }

    public ValueTask DisposeAsync()
    {
        connection.Dispose();
        return ValueTask.CompletedTask;
    }
}
