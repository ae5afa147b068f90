using System.Diagnostics;
using MoxApi.Tests.Conventions;
using Xunit;

namespace MoxApi.Tests.Peers;

/// <summary>Runs a script of <c>tests/Peers/npm</c>, where independent implementations from npm are pinned.</summary>
internal static class NpmPeer
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    private static string Folder => Path.Combine(Repository.Root, "tests", "Peers", "npm");

    /// <summary>Runs the script under Node.js with the text as its input; returns what it prints.</summary>
    public static async Task<string> RunAsync(string script, string input, CancellationToken stop)
    {
        Assert.True(
            Directory.Exists(Path.Combine(Folder, "node_modules")),
            "The packages of tests/Peers/npm are not installed. Run `npm ci --prefix tests/Peers/npm`, or the tests through `./moxapi test`.");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Deadline);
        var start = new ProcessStartInfo("node", [script])
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var node = Process.Start(start)!;
        try
        {
            var output = node.StandardOutput.ReadToEndAsync(patience.Token);
            var errors = node.StandardError.ReadToEndAsync(patience.Token);
            await node.StandardInput.WriteAsync(input.AsMemory(), patience.Token);
            node.StandardInput.Close();
            await node.WaitForExitAsync(patience.Token);
            Assert.True(node.ExitCode == 0, $"{script}: {await errors}");
            return await output;
        }
        finally
        {
            if (!node.HasExited) node.Kill();
        }
    }
}
