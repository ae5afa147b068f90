using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace MoxApi.Migrations.History
{
    /// <inheritdoc />
    public partial class SendingComplete : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AlterDatabase()
                .Annotation("Npgsql:PostgresExtension:btree_gin", ",,")
                .Annotation("Npgsql:PostgresExtension:pg_trgm", ",,");

            migrationBuilder.AddColumn<string>(
                name: "disabled_reason",
                table: "webhook_endpoint",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "failing_since",
                table: "webhook_endpoint",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "paused_until",
                table: "webhook_endpoint",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "previous_secret_until",
                table: "webhook_endpoint",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<byte[]>(
                name: "sealed_previous_secret",
                table: "webhook_endpoint",
                type: "bytea",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "duration_ms",
                table: "webhook_delivery",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "request_headers",
                table: "webhook_delivery",
                type: "json",
                nullable: true);

            migrationBuilder.AddColumn<byte[]>(
                name: "response_body",
                table: "webhook_delivery",
                type: "bytea",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "response_headers",
                table: "webhook_delivery",
                type: "json",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "accepted_at",
                table: "recipient",
                type: "timestamp with time zone",
                nullable: false,
                defaultValue: new DateTimeOffset(new DateTime(1, 1, 1, 0, 0, 0, 0, DateTimeKind.Unspecified), new TimeSpan(0, 0, 0, 0, 0)));

            migrationBuilder.AddColumn<string>(
                name: "base_address",
                table: "recipient",
                type: "text",
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<bool>(
                name: "in_hand",
                table: "queue",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "content_deleted_at",
                table: "message",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "domain_id",
                table: "message",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "is_test",
                table: "message",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "send_at",
                table: "message",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "detail",
                table: "event",
                type: "json",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "suspended_at",
                table: "domain",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "needed_until",
                table: "dkim_key",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "retired_at",
                table: "dkim_key",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<long[]>(
                name: "domain_ids",
                table: "api_key",
                type: "bigint[]",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "expires_at",
                table: "api_key",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "is_test",
                table: "api_key",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "last_used_at",
                table: "api_key",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "deleted_at",
                table: "account",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "keep_content_days",
                table: "account",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "keep_message_days",
                table: "account",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "keep_webhook_days",
                table: "account",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<double>(
                name: "pause_bounce_percent",
                table: "account",
                type: "double precision",
                nullable: true);

            migrationBuilder.AddColumn<double>(
                name: "pause_complaint_percent",
                table: "account",
                type: "double precision",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "pause_reason",
                table: "account",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "paused_at",
                table: "account",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "suspended_at",
                table: "account",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "suppression",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    account_id = table.Column<long>(type: "bigint", nullable: false),
                    base_address = table.Column<string>(type: "text", nullable: false),
                    address = table.Column<string>(type: "text", nullable: false),
                    reason = table.Column<short>(type: "smallint", nullable: false),
                    failure_class = table.Column<short>(type: "smallint", nullable: false),
                    detail = table.Column<string>(type: "text", nullable: true),
                    recipient_id = table.Column<long>(type: "bigint", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    expires_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_suppression", x => x.id);
                    table.ForeignKey(
                        name: "fk_suppression_account_account_id",
                        column: x => x.account_id,
                        principalTable: "account",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_webhook_delivery_event_id",
                table: "webhook_delivery",
                column: "event_id");

            migrationBuilder.CreateIndex(
                name: "ix_webhook_delivery_failed",
                table: "webhook_delivery",
                columns: new[] { "endpoint_id", "created_at" },
                filter: "status = 2");

            migrationBuilder.CreateIndex(
                name: "ix_recipient_address",
                table: "recipient",
                columns: new[] { "account_id", "base_address", "accepted_at" });

            migrationBuilder.CreateIndex(
                name: "ix_recipient_status",
                table: "recipient",
                columns: new[] { "account_id", "status", "accepted_at", "message_id" });

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
                name: "ix_message_with_content",
                table: "message",
                columns: new[] { "account_id", "accepted_at" },
                filter: "content_deleted_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_event_account",
                table: "event",
                columns: new[] { "account_id", "at" },
                filter: "message_id IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_event_at",
                table: "event",
                column: "at")
                .Annotation("Npgsql:IndexMethod", "brin");

            migrationBuilder.CreateIndex(
                name: "ix_suppression_account_id_base_address",
                table: "suppression",
                columns: new[] { "account_id", "base_address" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_suppression_account_id_created_at_id",
                table: "suppression",
                columns: new[] { "account_id", "created_at", "id" });

            // What was accepted before: the base address of most is the address itself, and the others are found by the addresses sent to from now on.
            migrationBuilder.Sql("UPDATE recipient r SET accepted_at = m.accepted_at, base_address = lower(r.address) FROM message m WHERE m.id = r.message_id");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "suppression");

            migrationBuilder.DropIndex(
                name: "ix_webhook_delivery_event_id",
                table: "webhook_delivery");

            migrationBuilder.DropIndex(
                name: "ix_webhook_delivery_failed",
                table: "webhook_delivery");

            migrationBuilder.DropIndex(
                name: "ix_recipient_address",
                table: "recipient");

            migrationBuilder.DropIndex(
                name: "ix_recipient_status",
                table: "recipient");

            migrationBuilder.DropIndex(
                name: "ix_message_subject",
                table: "message");

            migrationBuilder.DropIndex(
                name: "ix_message_tags",
                table: "message");

            migrationBuilder.DropIndex(
                name: "ix_message_with_content",
                table: "message");

            migrationBuilder.DropIndex(
                name: "ix_event_account",
                table: "event");

            migrationBuilder.DropIndex(
                name: "ix_event_at",
                table: "event");

            migrationBuilder.DropColumn(
                name: "disabled_reason",
                table: "webhook_endpoint");

            migrationBuilder.DropColumn(
                name: "failing_since",
                table: "webhook_endpoint");

            migrationBuilder.DropColumn(
                name: "paused_until",
                table: "webhook_endpoint");

            migrationBuilder.DropColumn(
                name: "previous_secret_until",
                table: "webhook_endpoint");

            migrationBuilder.DropColumn(
                name: "sealed_previous_secret",
                table: "webhook_endpoint");

            migrationBuilder.DropColumn(
                name: "duration_ms",
                table: "webhook_delivery");

            migrationBuilder.DropColumn(
                name: "request_headers",
                table: "webhook_delivery");

            migrationBuilder.DropColumn(
                name: "response_body",
                table: "webhook_delivery");

            migrationBuilder.DropColumn(
                name: "response_headers",
                table: "webhook_delivery");

            migrationBuilder.DropColumn(
                name: "accepted_at",
                table: "recipient");

            migrationBuilder.DropColumn(
                name: "base_address",
                table: "recipient");

            migrationBuilder.DropColumn(
                name: "in_hand",
                table: "queue");

            migrationBuilder.DropColumn(
                name: "content_deleted_at",
                table: "message");

            migrationBuilder.DropColumn(
                name: "domain_id",
                table: "message");

            migrationBuilder.DropColumn(
                name: "is_test",
                table: "message");

            migrationBuilder.DropColumn(
                name: "send_at",
                table: "message");

            migrationBuilder.DropColumn(
                name: "detail",
                table: "event");

            migrationBuilder.DropColumn(
                name: "suspended_at",
                table: "domain");

            migrationBuilder.DropColumn(
                name: "needed_until",
                table: "dkim_key");

            migrationBuilder.DropColumn(
                name: "retired_at",
                table: "dkim_key");

            migrationBuilder.DropColumn(
                name: "domain_ids",
                table: "api_key");

            migrationBuilder.DropColumn(
                name: "expires_at",
                table: "api_key");

            migrationBuilder.DropColumn(
                name: "is_test",
                table: "api_key");

            migrationBuilder.DropColumn(
                name: "last_used_at",
                table: "api_key");

            migrationBuilder.DropColumn(
                name: "deleted_at",
                table: "account");

            migrationBuilder.DropColumn(
                name: "keep_content_days",
                table: "account");

            migrationBuilder.DropColumn(
                name: "keep_message_days",
                table: "account");

            migrationBuilder.DropColumn(
                name: "keep_webhook_days",
                table: "account");

            migrationBuilder.DropColumn(
                name: "pause_bounce_percent",
                table: "account");

            migrationBuilder.DropColumn(
                name: "pause_complaint_percent",
                table: "account");

            migrationBuilder.DropColumn(
                name: "pause_reason",
                table: "account");

            migrationBuilder.DropColumn(
                name: "paused_at",
                table: "account");

            migrationBuilder.DropColumn(
                name: "suspended_at",
                table: "account");

            migrationBuilder.AlterDatabase()
                .OldAnnotation("Npgsql:PostgresExtension:btree_gin", ",,")
                .OldAnnotation("Npgsql:PostgresExtension:pg_trgm", ",,");
        }
    }
}
