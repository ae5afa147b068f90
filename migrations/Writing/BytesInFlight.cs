namespace MoxApi.Migrations.Writing;

/// <summary>
/// The octets of messages on their way in, over all listeners of the program: counted from the moment they are kept, in memory or in a temporary file,
/// until the message is stored or refused. Past the limit new octets are refused, so that the program says "later" to some rather than run out of
/// room in the midst of all. What is in a file counts an eighth: disks are that much larger than memories, and a full one is told by itself.
/// </summary>
/// <param name="limit">The most octets.</param>
public sealed class BytesInFlight(long limit)
{
    /// <summary>The limit where nothing is configured: 512 MiB.</summary>
    public const long DefaultLimit = 512L << 20;

    private const int FileShare = 8;

    private long taken;

    /// <summary>With <see cref="DefaultLimit"/>.</summary>
    public BytesInFlight()
        : this(DefaultLimit)
    {
    }

    /// <summary>The octets in flight, as they count.</summary>
    public long Taken => Interlocked.Read(ref taken);

    /// <summary>Whether so many more would fit now, in a file. A hint: others may take the room first.</summary>
    public bool HasRoomFor(long octets) => InFile(octets) <= limit - Taken;

    /// <summary>Begins to count the octets of one message, or of one request.</summary>
    public Share Open() => new(this);

    private static long InFile(long octets) => (octets + FileShare - 1) / FileShare;

    private bool TryTake(long octets)
    {
        if (Interlocked.Add(ref taken, octets) <= limit || octets <= 0) return true;
        Interlocked.Add(ref taken, -octets);
        return false;
    }

    /// <summary>What one message holds of the room; given back by disposing it. One writer at a time.</summary>
    public sealed class Share : IDisposable
    {
        private readonly BytesInFlight whole;

        internal Share(BytesInFlight whole) => this.whole = whole;

        private long held;

        /// <summary>Takes or gives back room, so that it is what is kept from now on.</summary>
        /// <param name="inMemory">The octets in memory.</param>
        /// <param name="inFile">The octets in a temporary file.</param>
        /// <exception cref="NoRoomException">There is no room; what was held before still is.</exception>
        public void Keep(long inMemory, long inFile)
        {
            var wanted = inMemory + InFile(inFile);
            if (!whole.TryTake(wanted - held)) throw new NoRoomException("Too many octets of messages are in flight.");
            held = wanted;
        }

        /// <inheritdoc/>
        public void Dispose() => Keep(0, 0);
    }
}

/// <summary>
/// A message cannot be kept now: too much is in flight, or the disk is full. Nothing of it was stored; another try may find room.
/// </summary>
public sealed class NoRoomException(string message, Exception? inner = null) : IOException(message, inner);
