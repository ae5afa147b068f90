using MoxApi.Migrations.Accounts;

namespace MoxApi.Delivery.Domains;

/// <summary>What a DKIM key is for at a time.</summary>
public enum DkimKeyState
{
    /// <summary>To be published; it signs nothing yet.</summary>
    Next,

    /// <summary>It signs.</summary>
    Active,

    /// <summary>It signs no more, but what it signed may still be on its way: its record stays published.</summary>
    Retired,

    /// <summary>Nothing needs it any more.</summary>
    Removable,
}

/// <summary>Tells the state of stored keys.</summary>
public static class DkimKeyStates
{
    /// <summary>How long a retired key's record stays at least: a message may just be being signed.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    /// <summary>The state of a key. A key that is active may have a <see cref="DkimKey.RetiredAt"/> to come: then the next ones take its place.</summary>
    public static DkimKeyState StateAt(this DkimKey key, DateTimeOffset now)
    {
        if (key.Active) return DkimKeyState.Active;
        if (key.RetiredAt is not { } retired) return DkimKeyState.Next;
        return now < key.NeededUntil || now < retired + Grace ? DkimKeyState.Retired : DkimKeyState.Removable;
    }
}
