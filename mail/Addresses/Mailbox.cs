namespace MoxApi.Mail.Addresses;

/// <summary>An address with the name that people see (RFC 5322 §3.4 <c>mailbox</c>).</summary>
/// <param name="DisplayName">The name in plain Unicode, without quotes or encoding; null or empty for none.</param>
/// <param name="Address">The address.</param>
public sealed record Mailbox(string? DisplayName, MailAddress Address)
{
    /// <summary>An address without a name.</summary>
    public Mailbox(MailAddress address)
        : this(null, address)
    {
    }

    /// <summary><c>Name &lt;address&gt;</c> or the bare address, as JSON has it: not the form of a header field.</summary>
    public override string ToString() => string.IsNullOrEmpty(DisplayName) ? Address.ToString() : $"{DisplayName} <{Address}>";
}
