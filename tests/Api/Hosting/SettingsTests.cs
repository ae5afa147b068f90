using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using MoxApi.Api.Hosting;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Api.Hosting;

public sealed class SettingsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public SettingsTests() => Directory.CreateDirectory(folder.FullName);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Without_configuration_it_is_a_sandbox_on_loopback()
    {
        var (settings, _) = Settings.Read(folder.Combine("data"), null, null);

        Assert.True(settings.IsSandbox);
        Assert.Equal([new IPEndPoint(IPAddress.Loopback, 1080)], settings.HttpEndPoints);
        Assert.Equal([new IPEndPoint(IPAddress.Loopback, 1025)], settings.SmtpEndPoints);
        Assert.Equal(folder.Combine("data"), settings.DataFolder);
    }

    [Fact]
    public void The_port_offset_shifts_all_ports_and_the_command_line_comes_first()
    {
        Assert.Equal((2080, 2025), Ports(Read("""{"PortOffset": 2000}""")));
        Assert.Equal((3080, 3025), Ports(Read("""{"PortOffset": 2000}""", portOffset: 3000)));
        static (int, int) Ports(Settings settings) => (settings.HttpEndPoints.Single().Port, settings.SmtpEndPoints.Single().Port);
    }

    [Theory]
    [InlineData("""{"Database": {"ConnectionString": "Host=db"}}""")]
    [InlineData("""{"Database": {"MaxConnections": 20}}""")]
    [InlineData("""{"Listeners": {"Http": ["127.0.0.1:80"]}}""")]
    [InlineData("""{"Listeners": {"Smtp": ["0.0.0.0:25"]}}""")]
    public void Any_setting_of_database_or_listeners_ends_the_sandbox(string json) => Assert.False(Read(json).IsSandbox);

    [Theory]
    [InlineData("""{"Node": {"Name": "one"}}""")]
    [InlineData("""{"Delivery": {"MaxConnections": 5}}""")]
    [InlineData("""{"AllowNetworks": ["10.0.0.0/8"]}""")]
    [InlineData("{}")]
    public void Other_settings_leave_it_a_sandbox_with_every_listener_on_loopback(string json)
    {
        var settings = Read(json);

        Assert.True(settings.IsSandbox);
        Assert.All(settings.HttpEndPoints.Concat(settings.SmtpEndPoints), endPoint => Assert.True(IPAddress.IsLoopback(endPoint.Address)));
    }

    [Theory]
    [InlineData("{}", "127.0.0.0/8 ::1/128")]
    [InlineData("""{"AllowNetworks": ["10.1.0.0/16"]}""", "10.1.0.0/16 127.0.0.0/8 ::1/128")]
    [InlineData("""{"Listeners": {"Smtp": ["0.0.0.0:25"]}, "AllowNetworks": ["10.1.0.0/16"]}""", "10.1.0.0/16")]
    [InlineData("""{"Listeners": {"Smtp": ["0.0.0.0:25"]}}""", "")]
    public void Only_the_sandbox_connects_to_loopback_without_being_told(string json, string networks) =>
        Assert.Equal(networks, string.Join(' ', Read(json).AllowedNetworks));

    [Fact]
    public void Outside_of_the_sandbox_SMTP_is_listened_for_only_where_it_is_said()
    {
        Assert.Empty(Read("""{"Listeners": {"Http": ["127.0.0.1:80"]}}""").SmtpEndPoints);
        Assert.Equal([new IPEndPoint(IPAddress.Any, 25), new IPEndPoint(IPAddress.IPv6Any, 25)], Read("""{"Listeners": {"Smtp": ["0.0.0.0:25", "[::]:25"]}}""").SmtpEndPoints);
    }

    [Theory]
    [InlineData("""{"Delivry": {"MaxConnections": 5}}""", "Delivry")]
    [InlineData("""{"Delivery": {"MaxConections": 5}}""", "MaxConections")]
    [InlineData("""{"Domains": ["acme.example"]}""", "Domains")]
    [InlineData("""{"Node": {"Rolls": ["api"]}}""", "Rolls")]
    [InlineData("""{"Delivery": {"MaxConnections": "many"}}""", "Delivery:MaxConnections")]
    [InlineData("""{"Delivery": {"MaxConnections": 0}}""", "MaxConnections")]
    [InlineData("""{"Node": {"Lease": "00:20:00"}}""", "Lease")]
    [InlineData("""{"Node": {"Lease": "soon"}}""", "Node:Lease")]
    [InlineData("""{"Node": {"Roles": ["api", "cook"]}}""", "cook")]
    [InlineData("""{"Database": {"MaxConnections": 1}}""", "MaxConnections")]
    [InlineData("""{"Smtp": {"MaxRecipients": 5}}""", "MaxRecipients")]
    [InlineData("""{"Listeners": {"Http": ["localhost:80"]}}""", "localhost:80")]
    [InlineData("""{"Listeners": {"Http": ["127.0.0.1"]}}""", "127.0.0.1")]
    [InlineData("""{"Listeners": {"Smtp": ["0.0.0.0:70000"]}}""", "0.0.0.0:70000")]
    [InlineData("""{"Resolver": {"Servers": ["dns.example:53"]}}""", "dns.example:53")]
    [InlineData("""{"ConnectMap": ["192.0.2.10:25"]}""", "192.0.2.10:25")]
    [InlineData("""{"ConnectMap": ["192.0.2.10:25=mail.example:25"]}""", "mail.example:25")]
    [InlineData("""{"AllowNetworks": ["10.0.0.0/99"]}""", "10.0.0.0/99")]
    [InlineData("""{"AllowNetworks": ["10.0.0.1"]}""", "10.0.0.1")]
    [InlineData("""{"TrustedProxies": ["10.0.0.1"]}""", "TrustedProxies")]
    [InlineData("""{"Listeners": {"Metrics": ["localhost"]}}""", "localhost")]
    [InlineData("""{"Api": {"Burst": 0}}""", "Burst")]
    [InlineData("""{"Api": {"AllowHttpWebhooks": true}}""", "AllowHttpWebhooks")]
    [InlineData("""{"Smtp": {"RefusedRecipientsAreFaults": false}}""", "RefusedRecipientsAreFaults")]
    [InlineData("""{"Node": {"MaxBytesInFlight": 5}}""", "MaxBytesInFlight")]
    [InlineData("""{"Pause": {"BouncePercent": 0}}""", "BouncePercent")]
    [InlineData("""{"Retention": {"ContentDays": -1}}""", "ContentDays")]
    [InlineData("""{"PortOffset": 70000}""", "PortOffset")]
    [InlineData("""{"Timeouts": {"Greeting": "00:00:00"}}""", "Greeting")]
    [InlineData("""{"Timeouts": {"FinalDot": "-00:10:00"}}""", "FinalDot")]
    [InlineData("""{"Timeouts": {"Transaction": "30"}}""", "Transaction")]
    [InlineData("""{"Delivery": {"IdleConnection": "-00:00:01"}}""", "IdleConnection")]
    [InlineData("""{"Delivery": {"StopWithin": "02:00:00"}}""", "StopWithin")]
    [InlineData("""{"Smtp": {"CommandTimeout": "00:00:00"}}""", "CommandTimeout")]
    [InlineData("""{"Smtp": {"DataTimeout": "2.00:00:00"}}""", "DataTimeout")]
    [InlineData("""{"Smtp": {"CommitTimeout": "-00:00:01"}}""", "CommitTimeout")]
    [InlineData("""{"Smtp": {"MaxIdleCommands": 1}}""", "MaxIdleCommands")]
    [InlineData("""{"IsSandbox": true, "Listeners": {"Http": ["0.0.0.0:80"]}}""", "IsSandbox")]
    [InlineData("""{"DataFolder": "/"}""", "DataFolder")]
    [InlineData("""{"Listeners": {""", "moxapi.json")]
    public void A_wrong_setting_is_refused_by_its_name(string json, string name)
    {
        var fault = Assert.Throws<SettingsException>(() => Read(json));

        Assert.Contains(name, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"Listener": {"Http": ["127.0.0.1:80"]}}""", "There is no setting 'Listener' in Settings.")]
    [InlineData("""{"Delivery": {"MaxConnection": 5, "Other": 1}}""", "There is no setting 'MaxConnection', 'Other' in DeliveryOptions.")]
    public void A_setting_that_does_not_exist_is_told_in_a_sentence(string json, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<SettingsException>(() => Read(json)).Message);

    [Fact]
    public void A_configuration_file_that_was_asked_for_must_be_there() =>
        Assert.Contains("other.json", Assert.Throws<SettingsException>(() => Settings.Read(folder.Combine("data"), folder.Combine("other.json"), null)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("mail-1.Acme.Example", "mail-1-acme-example")]
    [InlineData("Größe_1", "gr--e-1")]
    public void A_nodes_clean_name_is_one_that_a_queue_may_have(string name, string clean) => Assert.Equal(clean, new NodeSettings { Name = name }.CleanName);

    [Fact]
    public void The_example_is_accepted_and_shows_every_section()
    {
        var (settings, configuration) = Settings.Read(folder.Combine("data"), Example, null);

        Assert.False(settings.IsSandbox);
        var known = typeof(Settings).GetProperties().Where(p => p.SetMethod is not null).Select(p => p.Name).Except([nameof(Settings.DataFolder), nameof(Settings.IsSandbox)]);
        Assert.Equal(known.Order(), configuration.GetChildren().Select(section => section.Key).Where(key => File.ReadAllText(Example).Contains($"\"{key}\"", StringComparison.Ordinal)).Order());
    }

    [Fact]
    public void The_example_shows_every_setting_with_its_default_unless_it_has_none()
    {
        // What an operator must choose himself, or what is empty by default.
        string[] chosen = ["Database:ConnectionString", "Node:Name", "Node:HostName", "Node:Roles", "Listeners:Http", "Listeners:Smtp", "Listeners:Metrics", "Resolver:Servers",
            "Secrets:MasterKey", "Smtp:HostName", "Smtp:SpoolFolder", "AllowNetworks", "TrustedProxies", "ConnectMap", "Logging"];
        var (example, _) = Settings.Read(folder.Combine("data"), Example, null);
        var (defaults, _) = Settings.Read(folder.Combine("data"), null, null);

        Assert.Equal(Flatten(defaults).Where(s => !chosen.Contains(s.Name)), Flatten(example).Where(s => !chosen.Contains(s.Name)));
        using var document = JsonDocument.Parse(File.ReadAllText(Example), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        Assert.All(Flatten(defaults).Select(s => s.Name).Where(name => name != "Logging"), name => Assert.True(Has(document.RootElement, name.Split(':')), name));
    }

    private static string Example => Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", "..", "moxapi.example.json");

    private static string ThisFile([CallerFilePath] string path = "") => path;

    private static bool Has(JsonElement element, string[] path) => path is not [var first, .. var rest] || (element.TryGetProperty(first, out var next) && Has(next, rest));

    private static IEnumerable<(string Name, string? Value)> Flatten(Settings settings) =>
        from property in typeof(Settings).GetProperties()
        where property.SetMethod is not null && property.Name is not (nameof(Settings.DataFolder) or nameof(Settings.IsSandbox))
        let value = property.GetValue(settings)
        from setting in IsSection(property.PropertyType)
            ? property.PropertyType.GetProperties().Where(p => p.SetMethod is not null).Select(p => ($"{property.Name}:{p.Name}", Text(p.GetValue(value))))
            : [(property.Name, Text(value))]
        select setting;

    private static bool IsSection(Type type) => type.IsClass && type.Namespace!.StartsWith("MoxApi", StringComparison.Ordinal);

    private static string? Text(object? value) => value is string[] list ? string.Join(' ', list) : value?.ToString();

    private Settings Read(string json, int? portOffset = null)
    {
        File.WriteAllText(folder.Combine("moxapi.json"), json);
        return Settings.Read(folder.Combine("data"), null, portOffset).Settings;
    }
}
