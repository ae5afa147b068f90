using System.Text.RegularExpressions;
using Xunit;

namespace MoxApi.Tests.Conventions;

/// <summary>What is written in the sources, beside the code.</summary>
public partial class TextTests
{
    [Fact]
    public void Every_RFC_that_the_code_cites_has_a_row_in_the_table_of_the_README()
    {
        var rows = Row().Matches(Repository.Text("README.md")).Select(row => row.Groups[1].Value).ToHashSet();
        var cited = from file in Repository.Files(".cs")
                    from Match citation in Citation().Matches(Repository.Text(file))
                    let number = citation.Groups[1].Value
                    where !rows.Contains(number)
                    group file by number into missing
                    orderby missing.Key
                    select $"RFC {missing.Key}, cited in {missing.First()}";
        Assert.Equal("", string.Join('\n', cited));
    }

    [Fact]
    public void Nothing_is_left_for_later_and_nothing_tells_of_a_particular_machine() => Assert.Empty(
        from file in Repository.Files(".cs", ".csproj", ".json", ".js").Concat(["moxapi", ".ci/run", "README.md", "CONTRIBUTING.md", "Directory.Build.props", "Directory.Packages.props"])
        where !file.EndsWith("/TextTests.cs", StringComparison.Ordinal)
        from Match word in Unwanted().Matches(Repository.Text(file))
        select $"{file}: {word.Value}");

    // | [5321](https://www.rfc-editor.org/rfc/rfc5321) | Simple Mail Transfer Protocol | …
    [GeneratedRegex(@"^\| \[(\d{3,5})\]\(https://www\.rfc-editor\.org/rfc/rfc\1\) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"\bRFC (\d{3,5})\b")]
    private static partial Regex Citation();

    [GeneratedRegex(@"\b(?:TODO|FIXME|XXX|HACK)\b|(?<![\w.$])/(?:root|home)/\w+")]
    private static partial Regex Unwanted();
}
