using System.Text.RegularExpressions;
using Xunit;

namespace MoxApi.Tests.Conventions;

/// <summary>What is written in the sources, beside the code.</summary>
public partial class TextTests
{
    [Fact]
    public void Nothing_is_left_for_later_and_nothing_tells_of_a_particular_machine() => Assert.Empty(
        from file in Repository.Files(".cs", ".csproj", ".json", ".js").Concat(["moxapi", ".ci/run", "README.md", "Directory.Build.props", "Directory.Packages.props"])
        where !file.EndsWith("/TextTests.cs", StringComparison.Ordinal)
        from Match word in Unwanted().Matches(Repository.Text(file))
        select $"{file}: {word.Value}");

    [GeneratedRegex(@"\b(?:TODO|FIXME|XXX|HACK)\b|(?<![\w.$])/(?:root|home|work)/\w+|/tmp/wt\b|\bworktree\b")]
    private static partial Regex Unwanted();
}
