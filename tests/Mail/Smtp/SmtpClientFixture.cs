using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Connections;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Mail.Smtp;

/// <summary>A client that finds the scripted server behind 192.0.2.10:25.</summary>
internal static class SmtpClientFixture
{
    public const string Host = "mx_1.example.org";

    public static readonly IPEndPoint Remote = IPEndPoint.Parse("192.0.2.10:25");

    public static readonly MailAddress Sender = MailAddress.Parse("bounce+1@acme.example");
    public static readonly MailAddress Jane = MailAddress.Parse("jane@example.org");
    public static readonly MailAddress Sam = MailAddress.Parse("sam@example.org");
    public static readonly MailAddress Kim = MailAddress.Parse("kim@example.org");

    public static SmtpContent Hello { get; } = Content("Subject: hello\r\n\r\n", "Hi.\r\n");

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static SmtpContent Content(string header, string body) => new(Encoding.UTF8.GetBytes(header), Encoding.UTF8.GetBytes(body));

    public static SmtpEnvelope To(params MailAddress[] recipients) => new() { ReversePath = Sender, ForwardPaths = recipients };

    public static SmtpTarget Target(SmtpTlsMode tls) => new(Remote, Host, tls);

    public static SmtpConnector Connector(ScriptedSmtpServer server, TimeProvider? time = null, X509Certificate2Collection? roots = null, SmtpTimeouts? timeouts = null)
    {
        var map = new Dictionary<IPEndPoint, IPEndPoint> { [Remote] = server.EndPoint };
        var options = new SmtpClientOptions { HostName = "out.acme.example", TrustedRoots = roots, Timeouts = timeouts ?? new SmtpTimeouts() };
        return new SmtpConnector(new Dialer(new DialerOptions { EndpointMap = map }, TimeProvider.System), options, time ?? TimeProvider.System);
    }

    public static Task<SmtpOpening> TryOpenAsync(
        this ScriptedSmtpServer server,
        SmtpTlsMode tls = SmtpTlsMode.None,
        TimeProvider? time = null,
        X509Certificate2Collection? roots = null,
        SmtpTimeouts? timeouts = null) =>
        Connector(server, time, roots, timeouts).OpenAsync(Target(tls), Stop).WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System, Stop);

    public static async Task<SmtpConnection> OpenAsync(this ScriptedSmtpServer server)
    {
        var opening = await server.TryOpenAsync();
        Assert.Null(opening.Failure);
        return opening.Connection!;
    }

    public static Task<SmtpTransaction> SendAsync(this SmtpConnection connection, SmtpEnvelope envelope) =>
        connection.SendAsync(envelope, Hello, null, Stop).WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System, Stop);

    /// <summary>Opens and sends to one recipient; the verdict of whatever decided.</summary>
    public static async Task<SmtpVerdict> SendOneAsync(this ScriptedSmtpServer server, TimeProvider? time = null, SmtpTimeouts? timeouts = null)
    {
        var opening = await server.TryOpenAsync(time: time, timeouts: timeouts);
        if (!opening.IsOpen) return opening.Failure;
        await using var connection = opening.Connection;
        var transaction = await connection.SendAsync(To(Jane));
        return Assert.Single(transaction.Recipients).Verdict!;
    }

    public static string[] StepNames(this SmtpTransaction transaction) => [.. transaction.Steps.Select(static s => s.Step)];

    public static SmtpRecipientOutcome[] Outcomes(this SmtpTransaction transaction) => [.. transaction.Recipients.Select(static r => r.Outcome)];
}
