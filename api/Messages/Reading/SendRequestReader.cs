using System.IO.Pipelines;
using System.Text.Json;
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
    /// <summary>Reads a request; what does not fit the contract is added to <paramref name="faults"/>.</summary>
    /// <param name="body">The body.</param>
    /// <param name="spool">Where the files go. They can be read while it lives.</param>
    /// <param name="faults">Collects the faults.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="RefusalException">The body is too large or no JSON, or the files cannot be kept.</exception>
    public static async Task<SendRequest> ReadAsync(PipeReader body, AttachmentSpool spool, Faults faults, CancellationToken cancellationToken)
    {
        using var scanner = new SendBodyScanner(spool, SendBodyShape.Message);
        await scanner.TakeAllAsync(body, cancellationToken);
        using var document = JsonBody.Parse(scanner.Rest, scanner.Position);
        return Bind(document.RootElement, scanner.FilesOf(0), faults);
    }

    /// <summary>Binds the JSON of a message.</summary>
    internal static SendRequest Bind(JsonElement message, ScannedFiles files, Faults faults)
    {
        foreach (var (pointer, fault) in files.Base64Faults) faults.Add(pointer, FaultCodes.InvalidBase64, fault);
        return new SendRequest(RequestBinder.Bind<SendMessageRequest>(message, faults), files.Files);
    }
}
