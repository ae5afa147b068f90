using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Logging;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Mailboxes;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Nodes;
using MoxApi.Migrations.Webhooks;

namespace MoxApi.Migrations;

/// <summary>The one data model of the program.</summary>
public sealed class MailDbContext(DbContextOptions<MailDbContext> options) : DbContext(options)
{
    /// <summary>Which migrations a database has.</summary>
    internal const string HistoryTable = "schema_history";

    public DbSet<Account> Accounts => Set<Account>();
    public DbSet<Domain> Domains => Set<Domain>();
    public DbSet<Address> Addresses => Set<Address>();
    public DbSet<DkimKey> DkimKeys => Set<DkimKey>();
    public DbSet<ApiKey> ApiKeys => Set<ApiKey>();
    public DbSet<Message> Messages => Set<Message>();
    public DbSet<Body> Bodies => Set<Body>();
    public DbSet<BodyChunk> BodyChunks => Set<BodyChunk>();
    public DbSet<Recipient> Recipients => Set<Recipient>();
    public DbSet<QueueRow> Queue => Set<QueueRow>();
    public DbSet<Lane> Lanes => Set<Lane>();

    public DbSet<Suppression> Suppressions => Set<Suppression>();
    public DbSet<Attempt> Attempts => Set<Attempt>();
    public DbSet<IdempotentAnswer> IdempotentAnswers => Set<IdempotentAnswer>();
    public DbSet<Event> Events => Set<Event>();
    public DbSet<WebhookEndpoint> WebhookEndpoints => Set<WebhookEndpoint>();
    public DbSet<WebhookDelivery> WebhookDeliveries => Set<WebhookDelivery>();
    public DbSet<WebhookQueueRow> WebhookQueue => Set<WebhookQueueRow>();
    public DbSet<Mailbox> Mailboxes => Set<Mailbox>();
    public DbSet<MailboxMessage> MailboxMessages => Set<MailboxMessage>();
    public DbSet<Session> Sessions => Set<Session>();
    public DbSet<Installation> Installations => Set<Installation>();

    /// <summary>Sets how the model is stored, the same for the program, the tests and the design tools.</summary>
    public static void Configure(DbContextOptionsBuilder options, Npgsql.NpgsqlDataSource? source = null)
    {
        if (source is null) options.UseNpgsql(Store);
        else options.UseNpgsql(source, Store);
        options.UseSnakeCaseNamingConvention();
        // What fails is thrown, and is logged by whoever does not handle it: a name that is taken is an answer to a client, and no error of the program.
        options.ConfigureWarnings(log => log.Log(
            (RelationalEventId.CommandError, LogLevel.Debug), (RelationalEventId.ConnectionError, LogLevel.Debug), (CoreEventId.SaveChangesFailed, LogLevel.Debug),
            (CoreEventId.QueryIterationFailed, LogLevel.Debug)));
        static void Store(Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.NpgsqlDbContextOptionsBuilder npgsql) =>
            npgsql.MigrationsHistoryTable(HistoryTable).SetPostgresVersion(15, 0);
    }

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(MailDbContext).Assembly);
        // Table names are the things' names in the singular, so statements read like the design.
        foreach (var entity in modelBuilder.Model.GetEntityTypes())
        {
            if (entity.GetTableName() is { } name && entity.ClrType != typeof(QueueRow) && entity.ClrType != typeof(WebhookQueueRow))
                entity.SetTableName(Snake(entity.ClrType.Name));
        }
        // Searching for words in subjects, within an account. Both are of PostgreSQL's own contributions and may be made by a database's owner.
        modelBuilder.HasPostgresExtension("pg_trgm").HasPostgresExtension("btree_gin");
        // Reserves ids in blocks, so that a message's rows name each other before they are written; see IdBlocks.
        modelBuilder.HasSequence<long>("id_block");
    }

    private static string Snake(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "_") + char.ToLowerInvariant(c) : c.ToString()));
}

internal sealed class MailDbContextFactory : IDesignTimeDbContextFactory<MailDbContext>
{
    public MailDbContext CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<MailDbContext>();
        MailDbContext.Configure(options);
        return new MailDbContext(options.Options);
    }
}
