using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Peers;

/// <summary>
/// A real Postfix on a port of its own, with its configuration, queue and mailboxes in a temporary folder: one that runs on this machine for
/// other purposes is not touched. Only root can start it.
/// </summary>
internal sealed class Postfix : IAsyncDisposable
{
    private const string Program = "/usr/sbin/postfix";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly TemporaryFolder folder = new();
    private readonly string domain;
    private readonly string host;
    private readonly StringBuilder log = new();

    private Postfix(string domain, string host) => (this.domain, this.host) = (domain, host);

    /// <summary>Why there can be none here, or nothing.</summary>
    public static string? Missing => !Environment.IsPrivilegedProcess ? "Postfix needs root." : !File.Exists(Program) ? $"There is no {Program}." : null;

    /// <summary>Where it listens for SMTP.</summary>
    public IPEndPoint EndPoint { get; } = FreeEndPoint();

    /// <summary>What it logged.</summary>
    public string Log
    {
        get
        {
            lock (log) return log.ToString();
        }
    }

    private string Configuration => folder.Combine("etc");

    private string Mailboxes => folder.Combine("mail");

    /// <summary>Starts one that receives for <c>jane</c> at a domain and offers STARTTLS with a certificate that nobody vouches for.</summary>
    /// <param name="domain">Such as <c>example.net</c>.</param>
    /// <param name="host">Its own name, such as <c>mx.example.net</c>.</param>
    public static async Task<Postfix> StartAsync(string domain, string host)
    {
        var started = new Postfix(domain, host);
        try
        {
            started.WriteConfiguration();
            started.RunInForeground();
            await started.AnswersAsync();
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits for the next message that arrives in the mailbox, and takes it out. Postfix stores it with LF alone: this is with CRLF again.</summary>
    public async Task<byte[]> ReceiveAsync(CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        var arrivals = Path.Combine(Mailboxes, "jane", "new");
        while (true)
        {
            // A message is moved here when it is complete.
            if (Directory.Exists(arrivals) && Directory.EnumerateFiles(arrivals).FirstOrDefault() is { } file)
            {
                var stored = await File.ReadAllTextAsync(file, Encoding.Latin1, patience.Token);
                File.Delete(file);
                return Encoding.Latin1.GetBytes(stored.ReplaceLineEndings("\r\n"));
            }
            try
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                throw new TimeoutException($"Nothing arrived in {arrivals}. Postfix said:\n{Log}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Directory.Exists(Configuration))
        {
            using var stop = Process.Start(new ProcessStartInfo(Program, ["-c", Configuration, "stop"]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            await stop.WaitForExitAsync().WaitAsync(Patience);
        }
        folder.Dispose();
    }

    private static IPEndPoint FreeEndPoint()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (IPEndPoint)probe.LocalEndPoint!;
    }

    private void WriteConfiguration()
    {
        foreach (var each in new[] { Configuration, Mailboxes, folder.Combine("queue"), folder.Combine("data") }) Directory.CreateDirectory(each);
        Own("postfix", folder.Combine("data"));
        Own("nobody", Mailboxes);
        using (var certificate = TestAuthority.SelfSigned(host))
        using (var key = System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(certificate)!)
            File.WriteAllText(Path.Combine(Configuration, "tls.pem"), $"{key.ExportPkcs8PrivateKeyPem()}\n{certificate.ExportCertificatePem()}\n");
        File.WriteAllText(Path.Combine(Configuration, "main.cf"), Main());
        File.WriteAllText(Path.Combine(Configuration, "master.cf"), Services());
    }

    private string Main() => $"""
        compatibility_level = 3.6
        queue_directory = {folder.Combine("queue")}
        data_directory = {folder.Combine("data")}
        maillog_file = /dev/stdout
        myhostname = {host}
        mydestination =
        local_recipient_maps =
        alias_maps =
        inet_protocols = ipv4
        smtpd_peername_lookup = no
        smtpd_relay_restrictions = reject_unauth_destination
        smtpd_tls_security_level = may
        smtpd_tls_chain_files = {Path.Combine(Configuration, "tls.pem")}
        smtpd_tls_received_header = yes
        virtual_mailbox_domains = {domain}
        virtual_mailbox_maps = inline:{"{"} jane@{domain}=jane/ {"}"}
        virtual_mailbox_base = {Mailboxes}
        virtual_uid_maps = static:{IdOf("-u", "nobody")}
        virtual_gid_maps = static:{IdOf("-g", "nobody")}
        """ + "\n";

    // Without chroot: a jail would need copies of the system's files.
    private string Services() => $"""
        {EndPoint} inet n - n - - smtpd
        cleanup unix n - n - 0 cleanup
        qmgr unix n - n 300 1 qmgr
        tlsmgr unix - - n 1000? 1 tlsmgr
        rewrite unix - - n - - trivial-rewrite
        bounce unix - - n - 0 bounce
        defer unix - - n - 0 bounce
        trace unix - - n - 0 bounce
        virtual unix - n n - - virtual
        error unix - - n - - error
        retry unix - - n - - error
        anvil unix - - n - 1 anvil
        postlog unix-dgram n - n - 1 postlogd
        """ + "\n";

    private void RunInForeground()
    {
        var process = Process.Start(new ProcessStartInfo(Program, ["-c", Configuration, "start-fg"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.OutputDataReceived += (_, line) => Note(line.Data);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    private void Note(string? line)
    {
        if (line is null) return;
        lock (log) log.AppendLine(line);
    }

    private async Task AnswersAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(EndPoint, patience.Token);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"Postfix does not answer. It said:\n{Log}");
            }
        }
    }

    private static void Own(string user, string path) => Run("chown", user, path);

    private static int IdOf(string which, string user) => int.Parse(Run("id", which, user), CultureInfo.InvariantCulture);

    private static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output.Trim();
    }
}
