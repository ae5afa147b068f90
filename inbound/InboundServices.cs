using Microsoft.Extensions.DependencyInjection;
using MoxApi.Inbound.Mailboxes;
using MoxApi.Inbound.Smtp;
using MoxApi.Mail.Addresses;

namespace MoxApi.Inbound;

/// <summary>The role <c>inbound</c> in a host.</summary>
public static class InboundServices
{
    /// <summary>
    /// Adds the SMTP listener (see <see cref="SmtpHosting.UseSmtp"/>) with the mailboxes behind it. The host brings
    /// <c>IDbContextFactory&lt;MailDbContext&gt;</c>, <c>IdBlocks</c> and <c>PublicIds</c>.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="smtp">The listener's settings.</param>
    /// <param name="sandboxAddress">In the local sandbox, the address whose account receives all mail, whomever it is for; else null.</param>
    /// <exception cref="FormatException">The sandbox's address is none.</exception>
    public static IServiceCollection AddInbound(this IServiceCollection services, SmtpOptions smtp, string? sandboxAddress)
    {
        if (sandboxAddress is not null) smtp.ServeSandbox();
        return services
            .AddSmtp(smtp)
            .AddSingleton(new MailboxOptions { SandboxAddress = sandboxAddress is null ? null : MailAddress.Parse(sandboxAddress) })
            .AddSingleton<Addressees>()
            .AddSingleton<MailboxStore>()
            .AddSingleton<ISmtpBackend, MailboxBackend>();
    }
}
