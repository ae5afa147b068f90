using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using MoxApi.Api.Hosting;
using Xunit;

namespace MoxApi.Tests.Api.Hosting;

public class LogsTests
{
    [Theory, InlineData(null, "simple"), InlineData("json", "json")]
    public void Lines_are_as_the_configuration_says(string? configured, string formatter)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Logging:Console:FormatterName", configured)]).Build();
        using var services = new ServiceCollection().AddLogging(logging => Logs.Configure(logging, configuration)).BuildServiceProvider();

        // Without a name .NET's console takes its options of old: several lines for each entry, without the time.
        Assert.Equal(formatter, services.GetRequiredService<IOptionsMonitor<ConsoleLoggerOptions>>().CurrentValue.FormatterName);
    }

    [Theory, InlineData(null, @"^\d\d:\d\d:\d\d\.\d{3} fail: MoxApi\.Tests\[7\] "), InlineData("json", @"^\{""Timestamp"":""2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"",""EventId"":7,")]
    public void An_entry_is_one_line_with_its_time_whatever_is_in_it(string? configured, string beginning)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Logging:Console:FormatterName", configured)]).Build();
        using var services = new ServiceCollection().AddLogging(logging => Logs.Configure(logging, configuration)).BuildServiceProvider();
        var name = services.GetRequiredService<IOptionsMonitor<ConsoleLoggerOptions>>().CurrentValue.FormatterName;
        var formatter = services.GetServices<ConsoleFormatter>().Single(f => f.Name == name);

        foreach (var message in new[] { "Plain", "One\nTwo", "One\r\nTwo\r\n" })
        {
            foreach (var fault in new[] { null, Thrown() })
            {
                using var text = new StringWriter();
                formatter.Write(new LogEntry<string>(LogLevel.Error, "MoxApi.Tests", new EventId(7), message, fault, (state, _) => state), null, text);

                var line = Assert.Single(text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
                Assert.Matches(beginning, line);
                if (fault is not null) Assert.Contains("The inner one.", line, StringComparison.Ordinal);
            }
        }
    }

    // With a stack and one inside, which are lines.
    private static InvalidOperationException Thrown()
    {
        try
        {
            throw new InvalidOperationException("The outer one\nhas two lines.", new FormatException("The inner one."));
        }
        catch (InvalidOperationException fault)
        {
            return fault;
        }
    }
}
