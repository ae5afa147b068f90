using System.CommandLine;
using MoxApi.Migrations.Messages;

namespace MoxApi.Api.Commands;

/// <summary><c>moxapi check</c>: the books of everything.</summary>
internal static class CheckCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("check", "Checks that the books balance, over all messages in one snapshot: heavy where there are millions. The service itself checks what has changed, every hour.");
        command.SetAction((parsed, _) => CommandLine.WithDatabaseAsync(parsed, async (context, stop) =>
        {
            var report = await Books.CheckAsync(context.Database, stop);
            Console.WriteLine($"{report.Accepted} recipients accepted, {report.Queued} queued.");
            foreach (var (status, count) in report.ByStatus.OrderBy(s => s.Key)) Console.WriteLine($"  {status.ToString().ToLowerInvariant(),-12}{count}");
            if (report.Faults.Count > 0) throw new CommandException($"The books do not balance: {string.Join("; ", report.Faults)}.");
            Console.WriteLine("The books balance.");
            return 0;
        }));
        return command;
    }
}
