using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace MoxApi.Tests.Conventions;

/// <summary>The rooms of the program: who may know whom, and where things live.</summary>
public partial class RoomTests
{
    private static readonly Dictionary<string, string[]> Graph = new()
    {
        ["MoxApi.Mail"] = [],
        ["MoxApi.OpenApi"] = [],
        ["MoxApi.Migrations"] = [],
        ["MoxApi.Webhooks"] = ["MoxApi.Mail", "MoxApi.Migrations", "MoxApi.OpenApi"],
        ["MoxApi.Delivery"] = ["MoxApi.Mail", "MoxApi.Migrations"],
        ["MoxApi.Inbound"] = ["MoxApi.Delivery", "MoxApi.Mail", "MoxApi.Migrations"],
        ["MoxApi.Api"] = ["MoxApi.Delivery", "MoxApi.Inbound", "MoxApi.Mail", "MoxApi.Migrations", "MoxApi.OpenApi", "MoxApi.Webhooks"],
        ["MoxApi.Bench"] = ["MoxApi.Api"],
        ["MoxApi.Tests"] = ["MoxApi.Api", "MoxApi.Bench"],
    };

    // Who wants only the mail standards, or only the contract, gets no database and no host with them; who measures gets no test framework.
    private static readonly Dictionary<string, string[]> Packages = new()
    {
        ["MoxApi.Mail"] = ["DnsClient", "MailKit", "MimeKit", "NSec.Cryptography"],
        ["MoxApi.OpenApi"] = [],
        ["MoxApi.Bench"] = ["ARSoft.Tools.Net"],
    };

    private static readonly string[] Meaningless = ["Common", "Helpers", "Utils", "Utilities", "Services", "Managers", "Misc", "Shared"];

    [Fact]
    public void Projects_reference_what_their_room_may_know_and_nothing_else() =>
        Assert.Equal(Shown(Graph), Shown(Projects().ToDictionary(NameOf, References)));

    [Fact]
    public void The_mail_standards_the_contract_and_the_benchmark_need_few_packages() =>
        Assert.All(Packages, room => Assert.Empty(
            Attributes(Projects().Single(project => NameOf(project) == room.Key), "PackageReference").Except(room.Value)));

    [Fact]
    public void The_solution_has_every_project()
    {
        var solution = Repository.Text("MoxApi.sln").Replace('\\', '/');
        Assert.All(Projects(), project => Assert.Contains($"\"{project}\"", solution, StringComparison.Ordinal));
    }

    [Fact]
    public void Namespaces_are_folders() => Assert.Empty(
        from file in Repository.Files(".cs")
        from Match declared in Declaration().Matches(Repository.Text(file))
        where declared.Groups[1].Value != NamespaceOf(file)
        select $"{file} has the namespace {declared.Groups[1].Value}, not {NamespaceOf(file)}");

    [Fact]
    public void Folders_and_types_say_what_they_hold() => Assert.Empty(
        from file in Repository.Files(".cs", ".csproj")
        from word in Path.ChangeExtension(file, null).Split('/', '.')
        where Meaningless.Contains(word)
        select file);

    private static IEnumerable<string> Projects() => Repository.Files(".csproj");

    private static string NameOf(string project) => Path.GetFileNameWithoutExtension(project);

    private static string[] References(string project) => [.. Attributes(project, "ProjectReference").Select(NameOf).Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Attributes(string project, string element) =>
        XDocument.Parse(Repository.Text(project)).Descendants(element).Select(each => each.Attribute("Include")!.Value);

    private static IEnumerable<string> Shown(Dictionary<string, string[]> graph) =>
        graph.OrderBy(each => each.Key, StringComparer.Ordinal).Select(each => $"{each.Key} → {string.Join(", ", each.Value)}");

    // mail/Smtp/Client/Deadline.cs → MoxApi.Mail.Smtp.Client; the benchmark program is a project of its own within tests/.
    private static string NamespaceOf(string file)
    {
        var folders = Path.GetDirectoryName(file)!.Split('/');
        if (folders is ["tests", "bench", ..]) return string.Join('.', ["MoxApi", "Bench", .. folders[2..]]);
        var room = folders[0] == "openapi" ? "OpenApi" : char.ToUpperInvariant(folders[0][0]) + folders[0][1..];
        return string.Join('.', ["MoxApi", room, .. folders[1..]]);
    }

    [GeneratedRegex(@"^namespace\s+([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();
}
