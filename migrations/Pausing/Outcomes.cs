namespace MoxApi.Migrations.Pausing;

/// <summary>What became of an account's recipients within a period.</summary>
/// <param name="Finished">Those that were tried and delivered, or failed for good.</param>
/// <param name="Bounced">Of these, those whose address is of no use.</param>
/// <param name="Complained">Those who called a message spam.</param>
internal readonly record struct Outcomes(long Finished, long Bounced, long Complained)
{
    public static Outcomes operator +(Outcomes one, Outcomes other) =>
        new(one.Finished + other.Finished, one.Bounced + other.Bounced, one.Complained + other.Complained);
}
