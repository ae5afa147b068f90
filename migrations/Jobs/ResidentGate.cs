namespace MoxApi.Migrations.Jobs;

/// <summary>Lets one resident job of a kind run on a node.</summary>
public sealed class ResidentGate
{
    private int taken;

    /// <summary>Whether one runs.</summary>
    public bool IsTaken => Volatile.Read(ref taken) == 1;

    /// <summary>Enters, unless one runs.</summary>
    public bool TryEnter() => Interlocked.Exchange(ref taken, 1) == 0;

    /// <summary>Leaves.</summary>
    public void Leave() => Volatile.Write(ref taken, 0);
}
