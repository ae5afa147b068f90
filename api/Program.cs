using System.CommandLine;
using MoxApi.Api.Commands;

// The program stops by itself, in its own time: System.CommandLine must not end it two seconds after Ctrl-C.
return await CommandLine.Create().Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
