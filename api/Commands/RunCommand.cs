using Microsoft.AspNetCore.Connections;
using MoxApi.Api.Hosting;

namespace MoxApi.Api.Commands;

/// <summary>The program itself.</summary>
internal static class RunCommand
{
    /// <summary>Runs the node until it is stopped.</summary>
    public static async Task<int> RunAsync((Settings Settings, IConfigurationRoot Configuration) read, CancellationToken stop)
    {
        try
        {
            await NodeHost.RunAsync(read.Settings, read.Configuration, bound => Console.Out.WriteLineAsync(bound.Settings.IsSandbox ? Sandboxed(bound) : Production(bound)), stop);
            return 0;
        }
        catch (IOException taken) when (read.Settings.IsSandbox && taken.InnerException is AddressInUseException)
        {
            var other = read.Settings.PortOffset < Settings.MaxPortOffset - 1000 ? read.Settings.PortOffset + 1000 : 1000;
            throw new CommandException($"{taken.Message} Another program uses the port: --port-offset {other} takes others.");
        }
    }

    private static string Production(BoundAddresses bound) => $"""
        MoxApi runs: node {bound.Settings.Node.CleanName}, {string.Join(", ", bound.Settings.Node.Effective)}.
          API        {Url(bound)}/v1
          {(bound.Smtp.Count > 0 ? $"SMTP       {string.Join(' ', bound.Smtp)}" : "SMTP is not listened for.")}{string.Concat(bound.Metrics.Select(address => $"\n  Metrics    http://{address}/metrics"))}
        Ctrl-C stops it.
        """;

    private static string Sandboxed(BoundAddresses bound) => $$"""

        MoxApi's local sandbox runs. Mail never leaves this machine: whomever it is for, it arrives in {{Sandbox.Address}}.

          API        {{Url(bound)}}/v1        key {{Sandbox.ApiKey}}
          Try it     {{Url(bound)}}/swagger
          Account    {{Sandbox.Address}}            password {{Sandbox.Password}}
          SMTP       {{(bound.Smtp.Count > 0 ? Local(bound.Smtp[0]) : "is not listened for")}}
          Jobs       {{Url(bound)}}/hangfire   any user, the key as password
          Data       {{bound.Settings.DataFolder}}

        Send a first message:

          curl -s {{Url(bound)}}/v1/messages -H 'Authorization: Bearer {{Sandbox.ApiKey}}' -H 'Content-Type: application/json' -d '{"to": ["jane@example.org"], "subject": "Hello", "text": "It works."}'

        and see it arrive:

          curl -s {{Url(bound)}}/v1/received -H 'Authorization: Bearer {{Sandbox.ApiKey}}'

        Ctrl-C stops everything.
        """;

    private static string Url(BoundAddresses bound) => $"http://{Local(bound.Http[0])}";

    private static string Local(string address) => address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
}
