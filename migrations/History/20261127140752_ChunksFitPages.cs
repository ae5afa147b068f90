using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MoxApi.Migrations.History
{
    /// <inheritdoc />
    public partial class ChunksFitPages : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Chunks are 8,000 octets from here on and stay in their row.
            migrationBuilder.Sql("ALTER TABLE body_chunk SET (toast_tuple_target = 8160)");

            migrationBuilder.DropIndex(
                name: "ix_message_with_content",
                table: "message");

            migrationBuilder.CreateIndex(
                name: "ix_message_with_content",
                table: "message",
                columns: new[] { "account_id", "accepted_at" },
                filter: "content_deleted_at IS NULL AND direction = 0");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("ALTER TABLE body_chunk RESET (toast_tuple_target)");

            migrationBuilder.DropIndex(
                name: "ix_message_with_content",
                table: "message");

            migrationBuilder.CreateIndex(
                name: "ix_message_with_content",
                table: "message",
                columns: new[] { "account_id", "accepted_at" },
                filter: "content_deleted_at IS NULL");
        }
    }
}
