using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;
using MoxApi.Delivery;
using MoxApi.Inbound.Smtp;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Migrations.Pausing;
using MoxApi.Migrations.Retention;
using MoxApi.Migrations.Writing;

namespace MoxApi.Api.Hosting;

/// <summary>
/// What the program is told: from <c>moxapi.json</c> beside the data folder (or <c>--config</c>), then variables <c>MOXAPI_…</c> (two underscores
/// between levels), then the command line.
/// </summary>
internal sealed partial class Settings
{
    /// <summary>Room is left for the well-known ports.</summary>
    public const int MaxPortOffset = 65_000;

    private static readonly string[] EndSandbox = ["Database", "Domains", "Listeners"];

    private static readonly string[] NoSettings =
        [nameof(DataFolder), nameof(IsSandbox), $"{nameof(Api)}:{nameof(ApiOptions.AllowHttpWebhooks)}", $"{nameof(Smtp)}:RefusedRecipientsAreFaults"];

    /// <summary>The section <c>Database</c>.</summary>
    public DatabaseSettings Database { get; init; } = new();

    /// <summary>The section <c>Node</c>.</summary>
    public NodeSettings Node { get; init; } = new();

    /// <summary>The section <c>Listeners</c>.</summary>
    public ListenerSettings Listeners { get; init; } = new();

    /// <summary>The section <c>Api</c>: of the HTTP API.</summary>
    public ApiOptions Api { get; init; } = new();

    /// <summary>The section <c>Resolver</c>.</summary>
    public ResolverSettings Resolver { get; init; } = new();

    /// <summary>The section <c>Secrets</c>.</summary>
    public SecretSettings Secrets { get; init; } = new();

    /// <summary>The section <c>Delivery</c>.</summary>
    public DeliveryOptions Delivery { get; init; } = new();

    /// <summary>The section <c>Timeouts</c>: of the SMTP client.</summary>
    public SmtpTimeouts Timeouts { get; init; } = new();

    /// <summary>The section <c>Smtp</c>: of the SMTP listener.</summary>
    public SmtpOptions Smtp { get; init; } = new();

    /// <summary>The section <c>Pause</c>: when accounts are stopped by themselves.</summary>
    public PauseOptions Pause { get; init; } = new();

    /// <summary>The section <c>Retention</c>: how long things are kept.</summary>
    public RetentionOptions Retention { get; init; } = new();

    /// <summary>The section <c>Logging</c>, as ASP.NET Core has it.</summary>
    public IConfigurationSection? Logging { get; init; }

    /// <summary>Networks that are connected to although they are not public, such as <c>10.1.0.0/16</c>.</summary>
    public string[] AllowNetworks { get; init; } = [];

    /// <summary>Networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. None by default.</summary>
    public string[] TrustedProxies { get; init; } = [];

    /// <summary>Connections that go elsewhere, such as <c>192.0.2.10:25=127.0.0.1:2525</c>: for tests and unusual networks.</summary>
    public string[] ConnectMap { get; init; } = [];

    /// <summary>Where the private PostgreSQL, keys and the like are kept; absolute.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Added to the well-known ports of the sandbox; from 0 to <see cref="MaxPortOffset"/>.</summary>
    public int PortOffset { get; init; } = 1000;

    /// <summary>Whether this is the local sandbox: no database, domain or listener is configured.</summary>
    public bool IsSandbox { get; init; }

    /// <summary>Reads everything; a fault names its setting.</summary>
    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public static (Settings Settings, IConfigurationRoot Configuration) Read(string dataFolder, string? configFile, int? portOffset)
    {
        dataFolder = Path.GetFullPath(dataFolder);
        var file = Path.GetFullPath(configFile ?? Path.Combine(Path.GetDirectoryName(dataFolder) ?? "/", "moxapi.json"));
        try
        {
            var configuration = new ConfigurationBuilder().AddJsonFile(file, optional: configFile is null).AddEnvironmentVariables("MOXAPI_").Build();
            // What decides over the sandbox's safety follows from other settings, and is none itself.
            if (NoSettings.FirstOrDefault(name => configuration.GetSection(name).Exists()) is { } none)
                throw new SettingsException($"There is no setting {none}.");
            if (portOffset is { } offset) configuration[nameof(PortOffset)] = offset.ToString(CultureInfo.InvariantCulture);
            var settings = new Settings
            {
                DataFolder = dataFolder,
                IsSandbox = !EndSandbox.Any(section => configuration.GetSection(section).Exists()),
            };
            // What is not known is refused: a misspelt setting must not be a silent one.
            Bind(configuration, settings);
            settings.Validate();
            return (settings, configuration);
        }
        catch (Exception fault) when (fault is InvalidOperationException or FormatException or InvalidDataException or FileNotFoundException or OptionsValidationException)
        {
            throw new SettingsException($"{fault.Message}{(fault.InnerException is { } inner ? $" ({inner.Message})" : "")}");
        }
    }

    private static void Bind(IConfiguration configuration, Settings settings)
    {
        try
        {
            configuration.Bind(settings, options => options.ErrorOnUnknownConfiguration = true);
        }
        catch (InvalidOperationException unknown) when (UnknownNames().Match(unknown.Message) is { Success: true } match)
        {
            throw new SettingsException($"There is no setting {match.Groups["names"].Value} in {match.Groups["section"].Value}.");
        }
    }

    // The binder tells names only in a text of its own: "… not found on the instance of MoxApi.Api.Hosting.Settings: 'Foo', 'Bar'".
    [GeneratedRegex(@"not found on the instance of (\w+\.)*(?<section>\w+): (?<names>.+)$")]
    private static partial Regex UnknownNames();

    /// <summary>The HTTP listeners.</summary>
    public IReadOnlyList<IPEndPoint> HttpEndPoints => Listeners.Http.Length > 0 ? [.. Listeners.Http.Select(EndPoint)] : [new(IPAddress.Loopback, 80 + PortOffset)];

    /// <summary>The SMTP listeners.</summary>
    public IReadOnlyList<IPEndPoint> SmtpEndPoints => IsSandbox ? [new(IPAddress.Loopback, 25 + PortOffset)] : [.. Listeners.Smtp.Select(EndPoint)];

    /// <summary>The listeners for metrics and health alone.</summary>
    public IReadOnlyList<IPEndPoint> MetricsEndPoints => [.. Listeners.Metrics.Select(EndPoint)];

    /// <summary>Networks that are connected to although they are not public; in the sandbox, where webhooks are tried out, loopback too.</summary>
    public IReadOnlyList<IPNetwork> AllowedNetworks =>
        [.. (IsSandbox ? [.. AllowNetworks, "127.0.0.0/8", "::1/128"] : AllowNetworks).Select(text => Network(text, nameof(AllowNetworks)))];

    /// <summary>The networks of <see cref="TrustedProxies"/>.</summary>
    public IReadOnlyList<IPNetwork> TrustedNetworks => [.. TrustedProxies.Select(text => Network(text, nameof(TrustedProxies)))];

    /// <summary>Endpoints by the endpoints that are asked for.</summary>
    public IReadOnlyDictionary<IPEndPoint, IPEndPoint> EndPointMap => ConnectMap.Select(pair => pair.Split('=', 2)).ToDictionary(
        pair => EndPoint(pair[0]), pair => pair.Length == 2 ? EndPoint(pair[1]) : throw new SettingsException($"ConnectMap has \"{pair[0]}\", which is not of the form ADDRESS:PORT=ADDRESS:PORT."));

    /// <summary>Reads <c>address:port</c>.</summary>
    public static IPEndPoint EndPoint(string text) => IPEndPoint.TryParse(text, out var endPoint) && text.Contains(':', StringComparison.Ordinal)
        ? endPoint
        : throw new SettingsException($"\"{text}\" is not of the form ADDRESS:PORT, with an IP address.");

    private static IPNetwork Network(string text, string setting) => IPNetwork.TryParse(text, out var network)
        ? network
        : throw new SettingsException($"{setting} has \"{text}\", which is not of the form ADDRESS/LENGTH.");

    private void Validate()
    {
        if (PortOffset is < 0 or > MaxPortOffset) throw new SettingsException($"PortOffset takes 0 to {MaxPortOffset}.");
        foreach (var (section, value) in new (string, object)[] { ("Database", Database), ("Node", Node), ("Api", Api), ("Delivery", Delivery), ("Timeouts", Timeouts), ("Smtp", Smtp), ("Pause", Pause), ("Retention", Retention) })
        {
            var faults = new List<ValidationResult>();
            if (!Validator.TryValidateObject(value, new ValidationContext(value), faults, validateAllProperties: true))
                throw new SettingsException($"{section}: {string.Join(' ', faults.Select(f => f.ErrorMessage))}");
        }
        _ = (HttpEndPoints, SmtpEndPoints, MetricsEndPoints, EndPointMap, Resolver.EndPoints, AllowedNetworks, TrustedNetworks);
        if (Node.Roles.Except(Migrations.Nodes.Roles.All).FirstOrDefault() is { } unknown)
            throw new SettingsException($"Node:Roles has \"{unknown}\"; roles are {string.Join(", ", Migrations.Nodes.Roles.All)}.");
    }
}

/// <summary>Where the data is.</summary>
internal sealed class DatabaseSettings
{
    /// <summary>For Npgsql. Absent: the program runs a private PostgreSQL below the data folder.</summary>
    public string? ConnectionString { get; init; }

    /// <summary>Connections of this node, besides a few of Hangfire's.</summary>
    [Range(5, 1000)]
    public int MaxConnections { get; init; } = 40;
}

/// <summary>What this node is.</summary>
internal sealed class NodeSettings
{
    /// <summary>Unique among the nodes of a database; the machine's name by default.</summary>
    public string Name { get; init; } = Environment.MachineName;

    /// <summary>The name for EHLO, greetings and DNS records; must resolve to this node. The machine's name by default.</summary>
    public string HostName { get; init; } = Environment.MachineName.ToLowerInvariant();

    /// <summary>What it does; everything by default.</summary>
    public string[] Roles { get; init; } = [];

    /// <summary>How long the node may be silent until others take its work; 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The octets of messages on their way in, over HTTP and SMTP, that may be kept in memory at once; of those in temporary files an eighth counts.</summary>
    [Range(1 << 20, long.MaxValue)]
    public long MaxBytesInFlight { get; init; } = BytesInFlight.DefaultLimit;

    /// <summary>The name with what a Hangfire queue allows: lower-case letters, digits, dashes.</summary>
    public string CleanName => new([.. Name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]);

    /// <summary>Whether it has a role.</summary>
    public bool Has(string role) => Roles.Length == 0 || Roles.Contains(role);

    /// <summary>The roles it has.</summary>
    public IReadOnlyList<string> Effective => Roles.Length == 0 ? Migrations.Nodes.Roles.All : Roles;
}

/// <summary>Where to listen. Any of these ends the sandbox.</summary>
internal sealed class ListenerSettings
{
    /// <summary>HTTP, such as <c>127.0.0.1:1080</c>.</summary>
    public string[] Http { get; init; } = [];

    /// <summary>SMTP, such as <c>0.0.0.0:25</c>.</summary>
    public string[] Smtp { get; init; } = [];

    /// <summary>HTTP for metrics and health alone, without a key: an address that only the monitoring reaches.</summary>
    public string[] Metrics { get; init; } = [];
}

/// <summary>Whom to ask about DNS.</summary>
internal sealed class ResolverSettings
{
    /// <summary>Such as <c>127.0.0.1:53</c>; the system's resolvers by default.</summary>
    public string[] Servers { get; init; } = [];

    /// <summary>The servers as end points.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints => [.. Servers.Select(Settings.EndPoint)];
}

/// <summary>Keys of keys.</summary>
internal sealed class SecretSettings
{
    /// <summary>32 bytes in base64 that stored secrets are sealed with. Absent: a file in the data folder, made at the first start.</summary>
    public string? MasterKey { get; init; }
}

/// <summary>A setting is wrong; the message names it.</summary>
internal sealed class SettingsException(string message) : Exception(message);
