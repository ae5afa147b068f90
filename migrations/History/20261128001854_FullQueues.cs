using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MoxApi.Migrations.History
{
    /// <inheritdoc />
    public partial class FullQueues : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_message_account_id_accepted_at_id",
                table: "message");

            migrationBuilder.DropIndex(
                name: "ix_message_subject",
                table: "message");

            migrationBuilder.DropIndex(
                name: "ix_message_tags",
                table: "message");

            migrationBuilder.DropIndex(
                name: "ix_event_message_id",
                table: "event");

            migrationBuilder.AddColumn<long>(
                name: "domain_id",
                table: "queue",
                type: "bigint",
                nullable: true);

            migrationBuilder.Sql("UPDATE queue q SET domain_id = m.domain_id FROM recipient r JOIN message m ON m.id = r.message_id WHERE r.id = q.recipient_id AND m.domain_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_suppression_account_id_reason_created_at_id",
                table: "suppression",
                columns: new[] { "account_id", "reason", "created_at", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_queue_domain",
                table: "queue",
                columns: new[] { "domain_id", "held", "recipient_id" },
                filter: "domain_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_message_account_id_direction_accepted_at_id",
                table: "message",
                columns: new[] { "account_id", "direction", "accepted_at", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_message_subject",
                table: "message",
                columns: new[] { "account_id", "subject" },
                filter: "direction = 0")
                .Annotation("Npgsql:IndexMethod", "gin")
                .Annotation("Npgsql:IndexOperators", new[] { "int8_ops", "gin_trgm_ops" });

            migrationBuilder.CreateIndex(
                name: "ix_message_tags",
                table: "message",
                columns: new[] { "account_id", "tags" },
                filter: "direction = 0")
                .Annotation("Npgsql:IndexMethod", "gin")
                .Annotation("Npgsql:IndexOperators", new[] { "int8_ops", "array_ops" });

            migrationBuilder.CreateIndex(
                name: "ix_event_message_id_recipient_id",
                table: "event",
                columns: new[] { "message_id", "recipient_id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_suppression_account_id_reason_created_at_id",
                table: "suppression");

            migrationBuilder.DropIndex(
                name: "ix_queue_domain",
                table: "queue");

            migrationBuilder.DropIndex(
                name: "ix_message_account_id_direction_accepted_at_id",
                table: "message");

            migrationBuilder.DropIndex(
                name: "ix_message_subject",
                table: "message");

            migrationBuilder.DropIndex(
                name: "ix_message_tags",
                table: "message");

            migrationBuilder.DropIndex(
                name: "ix_event_message_id_recipient_id",
                table: "event");

            migrationBuilder.DropColumn(
                name: "domain_id",
                table: "queue");

            migrationBuilder.CreateIndex(
                name: "ix_message_account_id_accepted_at_id",
                table: "message",
                columns: new[] { "account_id", "accepted_at", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_message_subject",
                table: "message",
                columns: new[] { "account_id", "subject" })
                .Annotation("Npgsql:IndexMethod", "gin")
                .Annotation("Npgsql:IndexOperators", new[] { "int8_ops", "gin_trgm_ops" });

            migrationBuilder.CreateIndex(
                name: "ix_message_tags",
                table: "message",
                columns: new[] { "account_id", "tags" })
                .Annotation("Npgsql:IndexMethod", "gin")
                .Annotation("Npgsql:IndexOperators", new[] { "int8_ops", "array_ops" });

            migrationBuilder.CreateIndex(
                name: "ix_event_message_id",
                table: "event",
                column: "message_id");
        }
    }
}
