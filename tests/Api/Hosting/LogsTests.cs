using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
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
}
