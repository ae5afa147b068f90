using System.IO.Pipelines;
using MoxApi.Api.Json;
using MoxApi.Api.Problems;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Messages;

namespace MoxApi.Api.Messages.Reading;

/// <summary>A send request with its files decoded.</summary>
/// <param name="Request">The request; each attachment's content is the number of its file.</param>
/// <param name="Files">The files by number.</param>
internal sealed record SendRequest(SendMessageRequest Request, IReadOnlyList<SpooledFile> Files);

/// <summary>Reads the JSON of a send as it arrives. However large the files, little of them is in memory at a time.</summary>
internal static class SendRequestReader
{
    /// <summary>The octets of a send request.</summary>
    public const long MaxLength = 70 * 1024 * 1024;

    /// <summary>Reads a request; what does not fit the contract is added to <paramref name="faults"/>.</summary>
    /// <param name="body">The body.</param>
    /// <param name="spool">Where the files go. They can be read while it lives.</param>
    /// <param name="faults">Collects the faults.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="RefusalException">The body is too large or no JSON, or the files cannot be kept.</exception>
    public static async Task<SendRequest> ReadAsync(PipeReader body, AttachmentSpool spool, Faults faults, CancellationToken cancellationToken)
    {
        using var scanner = new SendBodyScanner(spool);
        await ScanAsync(body, scanner, cancellationToken);
        using var document = JsonBody.Parse(scanner.Rest, scanner.Position);
        foreach (var (pointer, fault) in scanner.Base64Faults) faults.Add(pointer, FaultCodes.InvalidBase64, fault);
        return new SendRequest(RequestBinder.Bind<SendMessageRequest>(document.RootElement, faults), scanner.Files);
    }

    private static async Task ScanAsync(PipeReader body, SendBodyScanner scanner, CancellationToken cancellationToken)
    {
        long length = 0;
        while (true)
        {
            var result = await body.ReadAsync(cancellationToken);
            try
            {
                length += result.Buffer.Length;
                if (length > MaxLength) throw new RefusalException(Refusal.TooLarge($"A request has at most {MaxLength / 1024 / 1024} MiB."));
                foreach (var piece in result.Buffer) scanner.Take(piece.Span);
            }
            finally
            {
                // Also after a refusal: the server reads on, to keep the connection for the next request.
                body.AdvanceTo(result.Buffer.End);
            }
            if (result.IsCompleted) return;
        }
    }
}
