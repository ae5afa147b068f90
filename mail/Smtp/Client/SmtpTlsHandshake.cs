using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MoxApi.Mail.Smtp.Client;

/// <summary>The client's side of a handshake of TLS 1.2 or later (RFC 8997), with the host's name in SNI.</summary>
internal sealed class SmtpTlsHandshake(string hostName, bool mustVerify, X509Certificate2Collection? trustedRoots)
{
    private string? _certificateFault;
    private SmtpTlsSession? _session;

    public SmtpTlsSession Session => _session ?? throw new InvalidOperationException("The handshake is not done.");

    public async Task<Stream> RunAsync(Stream clear, CancellationToken stop)
    {
        var tls = new SslStream(clear);
        try
        {
            await tls.AuthenticateAsClientAsync(Options(), stop);
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
        var version = tls.SslProtocol == SslProtocols.Tls13 ? "1.3" : "1.2";
        _session = new SmtpTlsSession(version, tls.NegotiatedCipherSuite.ToString(), _certificateFault is null ? "pkix" : "none");
        return tls;
    }

    public string Explain(Exception e, TimeSpan timeout) => e switch
    {
        OperationCanceledException => $"The handshake did not end within {timeout.TotalSeconds:0.###} s.",
        _ when mustVerify && _certificateFault is not null => $"The certificate is not valid for {hostName}: {_certificateFault}.",
        _ => $"The handshake failed: {e.GetBaseException().Message}",
    };

    private SslClientAuthenticationOptions Options() => new()
    {
        TargetHost = hostName,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        CertificateChainPolicy = ChainPolicy(),
        RemoteCertificateValidationCallback = Judge,
    };

    private X509ChainPolicy ChainPolicy()
    {
        var policy = new X509ChainPolicy
        {
            // The certificate names the addresses for downloads; following them would let a server make us connect where it likes.
            DisableCertificateDownloads = true,
            RevocationMode = X509RevocationMode.NoCheck,
            TrustMode = trustedRoots is null ? X509ChainTrustMode.System : X509ChainTrustMode.CustomRootTrust,
        };
        policy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1")); // RFC 5280 §4.2.1.12: id-kp-serverAuth.
        if (trustedRoots is not null) policy.CustomTrustStore.AddRange(trustedRoots);
        return policy;
    }

    // RFC 7435 §3: opportunistic TLS goes on whatever the certificate is, for the other choice is no TLS at all.
    private bool Judge(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        _certificateFault = errors == SslPolicyErrors.None ? null : Describe(chain, errors);
        return _certificateFault is null || !mustVerify;
    }

    private static string Describe(X509Chain? chain, SslPolicyErrors errors)
    {
        var faults = new List<string>();
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable)) faults.Add("there is none");
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)) faults.Add("it is for another name");
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) && chain is not null)
            faults.AddRange(chain.ChainStatus.Select(static s => s.Status.ToString()).Distinct());
        return string.Join(", ", faults);
    }
}
