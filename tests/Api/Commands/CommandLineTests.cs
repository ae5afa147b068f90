using System.CommandLine;
using MoxApi.Api.Commands;
using Xunit;

namespace MoxApi.Tests.Api.Commands;

public class CommandLineTests
{
    public static TheoryData<string> Commands => [.. Paths(CommandLine.Create(), "")];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_can_be_asked_for_help(string path) => Assert.Empty(Parse(path + " --help").Errors);

    [Theory]
    [InlineData("webhook listen --port 21825 --api http://localhost:21080 --key mox_local_sandbox")]
    [InlineData("--data-dir other --port-offset 2000 --config moxapi.json")]
    [InlineData("account add acme --queue-hours 24 --retry mox --return-path sender --data-dir other")]
    [InlineData("domain add acme.example --account acme --return-path-domain mail.acme.example")]
    [InlineData("key add --account acme --name shop --scope send read")]
    [InlineData("check --data-dir other")]
    public void What_the_documentation_shows_is_understood(string line) => Assert.Empty(Parse(line).Errors);

    [Theory]
    [InlineData("acount add acme")]
    [InlineData("account add acme --return-path none")]
    [InlineData("key add --account acme --scope everything")]
    [InlineData("webhook listen --port 0")]
    [InlineData("webhook listen --api localhost:1080")]
    [InlineData("webhook listen --api /v1")]
    [InlineData("webhook listen --secret whsec_!")]
    public void A_mistake_is_named(string line) => Assert.NotEmpty(Parse(line).Errors);

    [Fact]
    public void The_service_to_listen_to_can_be_named() =>
        Assert.Equal(new Uri("http://localhost:21080"), Parse("webhook listen --api http://localhost:21080").GetValue<Uri>("--api"));

    private static ParseResult Parse(string line) => CommandLine.Create().Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static IEnumerable<string> Paths(Command command, string path) =>
        command.Subcommands.SelectMany(sub => Paths(sub, $"{path} {sub.Name}")).Prepend(path);
}
