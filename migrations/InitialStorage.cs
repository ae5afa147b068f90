using Microsoft.EntityFrameworkCore.Migrations;

namespace MoxApi.Migrations;

/// <summary>How the first tables are stored; what EF Core's model cannot say.</summary>
internal static class InitialStorage
{
    public static void Apply(MigrationBuilder builder)
    {
        // A claim changes session_id, which is in both indexes' predicates: updates are not HOT, so leave room and vacuum early and at full
        // speed.
        foreach (var table in new[] { "queue", "webhook_queue" })
        {
            builder.Sql($"""
                ALTER TABLE {table} SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
                  autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000)
                """);
        }
        // Message octets are mostly base64 or already compressed: no time is spent on compressing them. A small body stays beside its row.
        builder.Sql("ALTER TABLE body ALTER COLUMN \"inline\" SET STORAGE EXTERNAL");
        builder.Sql("ALTER TABLE body SET (toast_tuple_target = 8160)");
        builder.Sql("ALTER TABLE body_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL");
    }
}
