using System.Diagnostics.CodeAnalysis;

namespace MoxApi.Mail.Smtp.Client;

/// <summary>What came of opening a connection.</summary>
/// <param name="Connection">The connection, ready for transactions; or null.</param>
/// <param name="Failure">Why there is none; or null.</param>
/// <param name="Steps">The conversation, with both tries where there were two.</param>
public sealed record SmtpOpening(SmtpConnection? Connection, SmtpVerdict? Failure, IReadOnlyList<SmtpStep> Steps)
{
    /// <summary>Whether there is a connection.</summary>
    [MemberNotNullWhen(true, nameof(Connection))]
    [MemberNotNullWhen(false, nameof(Failure))]
    public bool IsOpen => Connection is not null;
}
