extern alias bench;

using System.Diagnostics;
using System.Text.Json;
using bench::MoxApi.Bench;
using bench::MoxApi.Bench.Loading;
using bench::MoxApi.Bench.Measuring;
using bench::MoxApi.Bench.Reporting;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>
/// The benchmark, run with small numbers: what it counts must add up; its figures mean nothing here. Each scenario starts a PostgreSQL and the
/// program, so only some stand for all: one with all that is counted, one that counts in the tables, and one that writes to them itself.
/// </summary>
public class BenchTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    [Theory]
    [InlineData("latency", "one domain, to the webhook")]
    [InlineData("accept", "4 connections, with Idempotency-Key")]
    [InlineData("backlog", "1,000 waiting, 5 domains")]
    public async Task A_quick_run_counts_every_message_once_and_its_books_balance(string scenario, string what)
    {
        var (exitCode, output, errors) = await RunAsync(scenario, "--quick", "--json", "-", "--folder", "/tmp");

        Assert.True(exitCode == 0, errors);
        using var report = JsonDocument.Parse(output);
        Assert.Empty(report.RootElement.GetProperty("faults").EnumerateArray());
        Assert.NotEqual(0, report.RootElement.GetProperty("messagesCounted").GetInt32());
        var result = report.RootElement.GetProperty("results").EnumerateArray().Single(each => each.GetProperty("case").GetString() == what);
        Assert.All(result.GetProperty("median").EnumerateObject(), figure => Assert.True(figure.Value.GetDouble() >= 0, figure.Name));
    }

    [Fact]
    public async Task A_mistake_on_the_command_line_is_told_in_a_line()
    {
        var (exitCode, _, errors) = await RunAsync("latency", "--rounds", "0");

        Assert.Equal(1, exitCode);
        Assert.Equal("moxapi: --rounds takes 1 to 100.", errors.Trim());
    }

    [Fact]
    public void A_message_that_is_lost_and_one_that_is_doubled_are_faults()
    {
        var (report, tally) = (new Report(new BenchOptions { Rounds = 1, Quick = true }), new Tally(3));
        foreach (var n in new[] { 0, 2, 2 }) tally.Add(Messages.Id("r001", n));

        report.Counted("r001", Enumerable.Range(0, 3).Select(n => tally.CountOf(Messages.Id("r001", n))));

        Assert.Equal(["r001: 1 of 3 messages did not arrive.", "r001: 1 of 3 messages arrived more than once."], report.Faults);
        Assert.Equal((2, 1), (tally.Distinct, tally.Doubled));
    }

    [Fact]
    public void A_percentile_is_a_value_that_was_measured() =>
        Assert.Equal([1, 50, 99, 100], new[] { 0, 0.5, 0.99, 1 }.Select(share => Percentiles.At(Enumerable.Range(1, 100).Select(n => (double)n).Reverse(), share)));

    [Fact]
    public void A_template_changes_only_the_digits_of_its_messages()
    {
        var template = new Template("<a.{number}> to d{to}, ", "<b.{number}>");
        var copy = template.Copy();

        template.Fill(copy, 1_001, domains: 1000);

        Assert.Equal("<a.00001001> to d0001, <b.00001002>"u8, copy);
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        var info = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "MoxApi.Bench.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(info)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync().WaitAsync(Patience);
            return (process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}
