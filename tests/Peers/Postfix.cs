using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace MoxApi.Tests.Peers;

/// <summary>A real Postfix that receives for <c>jane</c> at a domain and offers STARTTLS with a certificate that nobody vouches for.</summary>
internal sealed class Postfix : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly PostfixProcess process;
    private readonly string mailboxes;

    private Postfix(string host)
    {
        process = new(host);
        mailboxes = process.MakeFolder("mail", owner: "nobody");
    }

    /// <summary>Why there can be none here, or nothing.</summary>
    public static string? Missing => PostfixProcess.Missing;

    /// <summary>Where it listens for SMTP.</summary>
    public IPEndPoint EndPoint => process.EndPoint;

    /// <summary>Starts one.</summary>
    /// <param name="domain">Such as <c>example.net</c>.</param>
    /// <param name="host">Its own name, such as <c>mx.example.net</c>.</param>
    public static async Task<Postfix> StartAsync(string domain, string host)
    {
        var started = new Postfix(host);
        try
        {
            await started.process.StartAsync(started.Settings(domain, started.WriteCertificate(host)), "virtual unix - n n - - virtual");
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
        var arrivals = Path.Combine(mailboxes, "jane", "new");
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
                throw new TimeoutException($"Nothing arrived in {arrivals}. Postfix said:\n{process.Log}");
            }
        }
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();

    private string WriteCertificate(string host)
    {
        var file = Path.Combine(process.MakeFolder("etc"), "tls.pem");
        using var certificate = TestAuthority.SelfSigned(host);
        using var key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(file, $"{key.ExportPkcs8PrivateKeyPem()}\n{certificate.ExportCertificatePem()}\n");
        return file;
    }

    private string Settings(string domain, string certificate) => $"""
        smtpd_relay_restrictions = reject_unauth_destination
        smtpd_tls_security_level = may
        smtpd_tls_chain_files = {certificate}
        smtpd_tls_received_header = yes
        virtual_mailbox_domains = {domain}
        virtual_mailbox_maps = inline:{"{"} jane@{domain}=jane/ {"}"}
        virtual_mailbox_base = {mailboxes}
        virtual_uid_maps = static:{PostfixProcess.IdOf("-u", "nobody")}
        virtual_gid_maps = static:{PostfixProcess.IdOf("-g", "nobody")}
        """;
}
