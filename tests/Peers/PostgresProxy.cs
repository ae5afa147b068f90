using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Npgsql;

namespace MoxApi.Tests.Peers;

/// <summary>
/// The network between a node and PostgreSQL, which can be cut, and can lose the answer to a commit. It knows of the protocol that the server's
/// messages are a type, a length and that many octets, and that ReadyForQuery (<c>Z</c>) says whether a transaction is open.
/// </summary>
internal sealed class PostgresProxy : IAsyncDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource stopping = new();
    private readonly NpgsqlConnectionStringBuilder server;
    private readonly Lock gate = new();
    private readonly HashSet<Link> links = [];
    private readonly List<Task> running = [];
    private readonly Task accepting;
    private bool cut;
    private byte[]? statement;
    private TaskCompletionSource lost = new();

    /// <param name="connectionString">Of the server, by TCP or by a Unix socket.</param>
    public PostgresProxy(string connectionString)
    {
        server = new(connectionString);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(512);
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Host = "127.0.0.1",
            Port = ((IPEndPoint)listener.LocalEndPoint!).Port,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
        }.ConnectionString;
        accepting = AcceptAsync();
    }

    /// <summary>The same database, reached by the proxy.</summary>
    public string ConnectionString { get; }

    /// <summary>Breaks all connections, and those that come, until it is mended.</summary>
    public void Cut()
    {
        lock (gate)
        {
            cut = true;
            foreach (var link in links) link.Dispose();
        }
    }

    /// <summary>Lets connections through again.</summary>
    public void Mend()
    {
        lock (gate) cut = false;
    }

    /// <summary>
    /// Lets the next transaction that was begun and has a statement with these words be committed, keeps the answer to the commit back, and breaks the connection.
    /// </summary>
    /// <returns>Ends when that has happened.</returns>
    public Task LoseCommitOf(string words)
    {
        lock (gate)
        {
            lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
            statement = Encoding.ASCII.GetBytes(words);
            return lost.Task;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Dispose();
        await accepting;
        await Task.WhenAll(running);
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptAsync(stopping.Token);
                running.Add(Task.Run(() => ServeAsync(client)));
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var link = new Link(client, server.Host![0] == '/' ? new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : new(SocketType.Stream, ProtocolType.Tcp));
        try
        {
            lock (gate)
            {
                if (cut) return;
                links.Add(link);
            }
            await (server.Host[0] == '/'
                ? link.Server.ConnectAsync(new UnixDomainSocketEndPoint($"{server.Host}/.s.PGSQL.{server.Port}"), stopping.Token)
                : link.Server.ConnectAsync(server.Host, server.Port, stopping.Token));
            await await Task.WhenAny(ForwardQuestionsAsync(link), ForwardAnswersAsync(link));
        }
        catch (Exception end) when (end is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // One side went away, or we broke it.
        }
        finally
        {
            lock (gate) links.Remove(link);
        }
    }

    private async Task ForwardQuestionsAsync(Link link)
    {
        var buffer = new byte[64 * 1024];
        while (await link.Client.ReceiveAsync(buffer, stopping.Token) is > 0 and var count)
        {
            lock (gate)
            {
                // A statement is sent in one piece; it is watched for before the server can have an answer to it.
                if (statement is not null && buffer.AsSpan(0, count).IndexOf(statement) >= 0) (link.Watched, statement) = (true, null);
            }
            await SendAsync(link.Server, buffer.AsMemory(0, count));
        }
    }

    private async Task ForwardAnswersAsync(Link link)
    {
        await using var stream = new NetworkStream(link.Server);
        var reader = PipeReader.Create(stream);
        ReadResult read;
        do
        {
            read = await reader.ReadAsync(stopping.Token);
            var (length, isCommitted) = Measure(read.Buffer, link);
            if (isCommitted)
            {
                link.Dispose();
                lost.SetResult();
                return;
            }
            foreach (var piece in read.Buffer.Slice(0, length)) await SendAsync(link.Client, piece);
            reader.AdvanceTo(read.Buffer.GetPosition(length), read.Buffer.End);
        }
        while (!read.IsCompleted);
    }

    private async Task SendAsync(Socket to, ReadOnlyMemory<byte> octets)
    {
        while (octets.Length > 0) octets = octets[await to.SendAsync(octets, stopping.Token)..];
    }

    /// <summary>
    /// How much of the server's messages may go on: all that are whole; of a connection that is watched, up to the last that says that the server is ready.
    /// The commit is what ends an open transaction.
    /// </summary>
    private static (long Length, bool IsCommitted) Measure(ReadOnlySequence<byte> buffer, Link link)
    {
        var length = 0L;
        var reader = new SequenceReader<byte>(buffer);
        while (reader.TryRead(out var type) && reader.TryReadBigEndian(out int size) && reader.Remaining >= size - sizeof(int))
        {
            var isReady = type == 'Z';
            if (link.Watched && isReady && reader.TryPeek(out var state))
            {
                if (link.InTransaction && state == 'I') return (length, true);
                link.InTransaction = state == 'T';
            }
            reader.Advance(size - sizeof(int));
            if (!link.Watched || isReady) length = reader.Consumed;
        }
        return (length, false);
    }

    /// <summary>A connection on both of its sides.</summary>
    private sealed class Link(Socket client, Socket server) : IDisposable
    {
        public Socket Client => client;

        public Socket Server => server;

        /// <summary>Whether the answer to its next commit is to be lost.</summary>
        public volatile bool Watched;

        /// <summary>Whether the server has said, since it is watched, that a transaction is open.</summary>
        public bool InTransaction;

        public void Dispose()
        {
            client.Dispose();
            server.Dispose();
        }
    }
}
