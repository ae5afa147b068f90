namespace MoxApi.Migrations.Writing;

/// <summary>
/// The octets of messages on their way in, over all listeners of the program: counted from the moment they are kept, in memory or in a temporary file,
/// until the message is stored or refused. Past the limit new octets are refused, so that the program says "later" to some rather than run out of
/// room in the midst of all.
/// </summary>
/// <param name="limit">The most octets.</param>
public sealed class BytesInFlight(long limit)
{
    /// <summary>The limit where nothing is configured: 512 MiB.</summary>
    public const long DefaultLimit = 512L << 20;

    private long taken;

    /// <summary>With <see cref="DefaultLimit"/>.</summary>
    public BytesInFlight()
        : this(DefaultLimit)
    {
    }

    /// <summary>The octets in flight.</summary>
    public long Taken => Interlocked.Read(ref taken);

    /// <summary>Whether so many more would fit now. A hint: others may take the room first.</summary>
    public bool HasRoomFor(long octets) => octets <= limit - Taken;

    /// <summary>Begins to count the octets of one message, or of one request.</summary>
    public Share Open() => new(this);

    private bool TryTake(long octets)
    {
        if (Interlocked.Add(ref taken, octets) <= limit) return true;
        Interlocked.Add(ref taken, -octets);
        return false;
    }

    /// <summary>What one message holds of the room; given back by disposing it. One writer at a time.</summary>
    public sealed class Share : IDisposable
    {
        private readonly BytesInFlight whole;

        internal Share(BytesInFlight whole) => this.whole = whole;

        /// <summary>The octets held.</summary>
        public long Held { get; private set; }

        /// <summary>Takes room for octets that are about to be kept.</summary>
        /// <exception cref="NoRoomException">There is none.</exception>
        public void Add(long octets)
        {
            if (!whole.TryTake(octets)) throw new NoRoomException("Too many octets of messages are in flight.");
            Held += octets;
        }

        /// <summary>Gives back what is held; more may be added after that.</summary>
        public void Clear()
        {
            whole.TryTake(-Held);
            Held = 0;
        }

        /// <inheritdoc/>
        public void Dispose() => Clear();
    }
}

/// <summary>
/// A message cannot be kept now: too much is in flight, or the disk is full. Nothing of it was stored; another try may find room.
/// </summary>
public sealed class NoRoomException(string message, Exception? inner = null) : IOException(message, inner);
