using Xunit;

namespace MoxApi.Tests.Hosting;

/// <summary>The script <c>moxapi</c>, with which everything begins.</summary>
public class WrapperTests
{
    private const string Program = "/artifacts/bin/MoxApi.Api/release/MoxApi.Api.dll>";

    [Fact]
    public async Task It_builds_once_and_again_when_a_source_is_newer_and_becomes_the_program()
    {
        using var checkout = new Checkout();

        await checkout.RunAsync();
        await checkout.RunAsync();
        checkout.Touch("mail/Source.cs");
        await checkout.RunAsync();
        checkout.Touch("tests/Source.cs");
        await checkout.RunAsync();

        Assert.Equal(["build", "run", "run", "build", "run", "run"], checkout.Calls.Select(c => c.StartsWith("dotnet <build> <api/MoxApi.Api.csproj>", StringComparison.Ordinal) ? "build" : "run"));
    }

    [Fact]
    public async Task A_build_that_fails_is_shown_and_tried_again()
    {
        using var checkout = new Checkout();
        checkout.Add("dotnet", "echo 'error CS1002: ; expected'; exit 1");

        var first = await checkout.RunAsync("check");
        var second = await checkout.RunAsync("check");

        Assert.Equal([1, 1], new[] { first.Code, second.Code });
        Assert.Contains("error CS1002: ; expected\nmoxapi: the build failed", first.Said, StringComparison.Ordinal);
        Assert.Equal(2, checkout.Calls.Length);
    }

    [Fact]
    public async Task Arguments_and_the_exit_code_are_passed_on_as_they_are()
    {
        using var checkout = new Checkout();
        checkout.Add("dotnet", "[ \"$1\" = build ] || exit 3");

        var (code, _) = await checkout.RunAsync("send", "--subject", "two  words", "", "*", "$HOME", "it's \"quoted\"");

        Assert.Equal(3, code);
        Assert.Equal($"dotnet <{checkout.Root}{Program} <send> <--subject> <two  words> <> <*> <$HOME> <it's \"quoted\">", checkout.Calls[^1]);
    }

    [Fact]
    public async Task It_works_in_a_long_path_with_spaces_and_through_a_link()
    {
        using var checkout = new Checkout($"it's \"mine\" & {new string('x', 120)}/to  try");
        File.CreateSymbolicLink(Path.Combine(checkout.Root, "tests", "linked"), "../moxapi");

        await checkout.RunAsync("check");
        var (code, said) = await checkout.RunThroughAsync("tests/linked", "check");

        Assert.Equal((0, ""), (code, said));
        Assert.Equal(3, checkout.Calls.Length);
        Assert.All(checkout.Calls[1..], c => Assert.Equal($"dotnet <{checkout.Root}{Program} <check>", c));
    }

    [Fact]
    public async Task A_word_behind_test_selects_classes_and_options_go_to_the_runner()
    {
        using var checkout = new Checkout("moxapi", "chromium");

        await checkout.RunAsync("test", "Settings", "Webhook", "--filter-method", "*Name", "--no-progress");

        Assert.StartsWith("dotnet <build> <tests/MoxApi.Tests.csproj> <-c> <Release>", checkout.Calls[0], StringComparison.Ordinal);
        Assert.Equal(
            "dotnet <test> <--project> <tests/MoxApi.Tests.csproj> <-c> <Release> <--no-build> <--filter-class> <*Settings*> <--filter-class> <*Webhook*> <--filter-method> <*Name> <--no-progress>",
            checkout.Calls[1]);
    }

    [Fact]
    public async Task What_is_missing_on_Debian_is_installed_from_fresh_lists()
    {
        using var checkout = new Checkout("moxapi", "apt-get");

        var (code, said) = await checkout.RunAsync("test");

        Assert.Equal(0, code);
        Assert.Contains("moxapi: installing curl", said, StringComparison.Ordinal);
        Assert.Contains("moxapi: installing chromium", said, StringComparison.Ordinal);
        var calls = checkout.Calls.Where(c => c.StartsWith("apt-get", StringComparison.Ordinal)).ToArray();
        Assert.Equal("apt-get <-y> <-o> <DPkg::Lock::Timeout=300> <update>", calls[0]);
        Assert.Contains("apt-get <-y> <-o> <DPkg::Lock::Timeout=300> <install> <--no-install-recommends> <chromium>", calls);
        Assert.Single(calls, c => c.EndsWith(" <update>", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_system_that_is_not_Debian_is_told_what_to_install_and_goes_on_without()
    {
        using var checkout = new Checkout();

        var (code, said) = await checkout.RunAsync("test");

        Assert.Equal(0, code);
        Assert.Contains("moxapi: please install: chromium (on Debian and Ubuntu: sudo apt-get install chromium)", said, StringComparison.Ordinal);
        Assert.StartsWith("dotnet <test>", checkout.Calls[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_SDK_it_says_so()
    {
        using var checkout = new Checkout();
        checkout.Remove("dotnet");

        var (code, said) = await checkout.RunAsync();

        Assert.Equal((1, "moxapi: the .NET 10 SDK is needed: https://dotnet.microsoft.com/download\n"), (code, said));
    }
}
