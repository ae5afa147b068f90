using System.Net;
using MoxApi.Api.Problems;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Access;

/// <summary>
/// Who waits for his password to be hashed. Two are hashed at a time, some 40 a second, so a line that is longer than clients are patient serves nobody: who
/// finds it full is told to come again. One network never has all of it.
/// </summary>
internal sealed class LoginLine
{
    /// <summary>The most that wait in all, and are hashed.</summary>
    public const int MaxLength = 200;

    /// <summary>The most of these from one IPv4 address or IPv6 /64.</summary>
    public const int MaxOfNetwork = 50;

    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private readonly Dictionary<IPNetwork, int> networks = [];
    private int length;

    /// <summary>Takes a place, which is given back by disposing it.</summary>
    /// <exception cref="RefusalException">The line is full (503), or has enough of the client's network (429).</exception>
    public IDisposable Join(IPAddress client)
    {
        var network = LoginBudget.HostOf(client);
        lock (gate)
        {
            var ahead = networks.GetValueOrDefault(network);
            if (ahead >= MaxOfNetwork)
                throw new RefusalException(new Refusal(StatusCodes.Status429TooManyRequests, ErrorCodes.RateLimited, "Too many logins from your network wait to be checked.") { RetryAfter = Retry });
            if (length >= MaxLength)
                throw new RefusalException(new Refusal(StatusCodes.Status503ServiceUnavailable, ErrorCodes.Unavailable, "Too many logins wait to be checked.") { RetryAfter = Retry });
            networks[network] = ahead + 1;
            length++;
        }
        return new Place(this, network);
    }

    private void Leave(IPNetwork network)
    {
        lock (gate)
        {
            length--;
            if (--networks[network] == 0) networks.Remove(network);
        }
    }

    private sealed class Place(LoginLine line, IPNetwork network) : IDisposable
    {
        public void Dispose() => line.Leave(network);
    }
}
