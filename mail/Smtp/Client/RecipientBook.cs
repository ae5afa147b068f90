using MoxApi.Mail.Addresses;

namespace MoxApi.Mail.Smtp.Client;

/// <summary>The recipients of a transaction and what is known of each: the first verdict stands.</summary>
internal sealed class RecipientBook(IReadOnlyList<MailAddress> recipients)
{
    private readonly SmtpRecipientResult?[] _results = new SmtpRecipientResult?[recipients.Count];
    private readonly bool[] _accepted = new bool[recipients.Count];

    /// <summary>Whether the server has accepted any recipient.</summary>
    public bool AnyAccepted { get; private set; }

    /// <summary>The recipients without a verdict, by index.</summary>
    public IEnumerable<int> Undecided => Enumerable.Range(0, recipients.Count).Where(i => _results[i] is null);

    public MailAddress this[int index] => recipients[index];

    public void Accept(int index) => AnyAccepted = _accepted[index] = true;

    public void Decide(int index, SmtpRecipientOutcome outcome, SmtpVerdict? verdict) =>
        _results[index] ??= new SmtpRecipientResult(recipients[index], outcome, verdict);

    public void Decide(int index, SmtpVerdict verdict) => Decide(index, Outcome(verdict), verdict);

    public void DecideRest(SmtpVerdict verdict) => DecideRest(Outcome(verdict), verdict);

    public void DecideRest(SmtpRecipientOutcome outcome, SmtpVerdict? verdict)
    {
        for (var i = 0; i < _results.Length; i++) Decide(i, outcome, verdict);
    }

    public SmtpRecipientResult[] Results() => Array.ConvertAll(_results, static r => r ?? throw new InvalidOperationException("A recipient has no verdict."));

    private static SmtpRecipientOutcome Outcome(SmtpVerdict verdict) => verdict switch
    {
        { IsSuccess: true } => SmtpRecipientOutcome.Delivered,
        { IsPermanent: true } => SmtpRecipientOutcome.PermanentFailure,
        _ => SmtpRecipientOutcome.TransientFailure,
    };
}
