using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MoxApi.Migrations.History
{
    /// <inheritdoc />
    public partial class BodiesAtRest : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // A vacuum after inserts reads each page again, to mark it as visible to all for scans of an index alone, of which there are none, and for later vacuums.
            // That is left to the vacuum after deletions, which comes anyway. Sampling reads a page for each row, and there is nothing to learn from the octets.
            foreach (var table in new[] { "body", "body_chunk" })
            {
                migrationBuilder.Sql($"ALTER TABLE {table} SET (autovacuum_vacuum_insert_threshold = -1)");
            }
            migrationBuilder.Sql("ALTER TABLE body ALTER id SET STATISTICS 10, ALTER size SET STATISTICS 10, ALTER \"inline\" SET STATISTICS 0");
            migrationBuilder.Sql("ALTER TABLE body_chunk ALTER body_id SET STATISTICS 10, ALTER number SET STATISTICS 10, ALTER bytes SET STATISTICS 0");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            foreach (var table in new[] { "body", "body_chunk" })
            {
                migrationBuilder.Sql($"ALTER TABLE {table} RESET (autovacuum_vacuum_insert_threshold)");
            }
            migrationBuilder.Sql("ALTER TABLE body ALTER id SET STATISTICS -1, ALTER size SET STATISTICS -1, ALTER \"inline\" SET STATISTICS -1");
            migrationBuilder.Sql("ALTER TABLE body_chunk ALTER body_id SET STATISTICS -1, ALTER number SET STATISTICS -1, ALTER bytes SET STATISTICS -1");
        }
    }
}
