namespace MoxApi.Migrations.Jobs;

/// <summary>Lets one resident job of a role run on this node at a time, and tells whether one does.</summary>
public sealed class ResidentGate
{
    private int taken;

    /// <summary>Whether a job is inside.</summary>
    public bool IsTaken => Volatile.Read(ref taken) == 1;

    /// <summary>Enters, unless another job is inside. <see cref="Leave"/> lets the next in.</summary>
    public bool TryEnter() => Interlocked.Exchange(ref taken, 1) == 0;

    /// <summary>Leaves.</summary>
    public void Leave() => Volatile.Write(ref taken, 0);
}
