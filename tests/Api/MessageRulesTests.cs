using MoxApi.Api.Json;
using MoxApi.Api.Messages.Reading;
using MoxApi.Api.Messages.Rules;
using MoxApi.OpenApi.Messages;
using Xunit;

namespace MoxApi.Tests.Api;

public class MessageRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 10, 0, 0, TimeSpan.Zero);

    private static readonly SendMessageRequest Good = new() { To = ["jane@example.org"], Text = "" };

    [Fact]
    public void The_least_message_is_in_order() => Assert.Empty(Faults(Good));

    [Fact]
    public void A_message_needs_a_recipient_and_a_text() => Assert.Equal(["/to required", "/text required"], Faults(new SendMessageRequest()));

    [Fact]
    public void Recipients_are_counted_together()
    {
        var many = Enumerable.Range(0, 500).Select(i => $"a{i}@example.org").ToList();
        Assert.Empty(Faults(Good with { To = many, Bcc = many }));
        Assert.Equal(["/to too_many"], Faults(Good with { To = many, Cc = ["x@example.org"], Bcc = many }));
    }

    [Theory]
    [InlineData("jane", "needs an @")]
    [InlineData("jane@", "needs a domain")]
    [InlineData("Jane <jane@example.org> x", null)]
    [InlineData("jane@example.org>", "needs a <")]
    [InlineData("Jane\r\nBcc: x <jane@example.org>", "control")]
    [InlineData("", "missing")]
    public void A_faulty_address_is_named(string address, string? detail)
    {
        var faults = new Faults();
        Apply(Good with { Cc = ["ok@example.org", address] }, faults);
        var fault = Assert.Single(faults.ToRefusal().Errors!);
        Assert.Equal(("/cc/1", "invalid_address"), (fault.Pointer, fault.Code));
        if (detail is not null) Assert.Contains(detail, fault.Detail);
    }

    [Theory]
    [InlineData("From")]
    [InlineData("sender")]
    [InlineData("REPLY-TO")]
    [InlineData("To")]
    [InlineData("Cc")]
    [InlineData("bcc")]
    [InlineData("Subject")]
    [InlineData("Date")]
    [InlineData("Message-Id")]
    [InlineData("In-Reply-To")]
    [InlineData("References")]
    [InlineData("Received")]
    [InlineData("Return-Path")]
    [InlineData("DKIM-Signature")]
    [InlineData("ARC-Seal")]
    [InlineData("Authentication-Results")]
    [InlineData("Content-Type")]
    [InlineData("content-transfer-encoding")]
    [InlineData("MIME-Version")]
    [InlineData("Resent-From")]
    [InlineData("Delivered-To")]
    [InlineData("received-spf")]
    [InlineData("X-Original-To")]
    [InlineData("DomainKey-Signature")]
    [InlineData("DKIM-Filter")]
    [InlineData("TLS-Required")]
    [InlineData("X Y")]
    [InlineData("X:Y")]
    [InlineData("X\r\nY")]
    [InlineData("Ünicode")]
    [InlineData("")]
    public void Headers_that_the_service_writes_or_that_are_none_are_refused(string name) =>
        Assert.Equal(["/headers/0/name invalid_header"], Faults(Good with { Headers = [new() { Name = name, Value = "x" }] }));

    [Theory, InlineData("FROM", "from"), InlineData("Reply-To", "replyTo"), InlineData("bcc", "bcc"), InlineData("Message-ID", "messageId"), InlineData("TLS-Required", "requireTls")]
    public void Who_sets_a_header_that_a_field_of_the_request_is_for_is_told_which(string name, string field)
    {
        var faults = new Faults();
        Apply(Good with { Headers = [new() { Name = name, Value = "x" }] }, faults);
        Assert.Contains($"\"{field}\"", Assert.Single(faults.ToRefusal().Errors!).Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("X-Order")]
    [InlineData("List-Unsubscribe")]
    [InlineData("Auto-Submitted")]
    [InlineData("Contents")]
    public void Other_headers_are_the_senders_own(string name) => Assert.Empty(Faults(Good with { Headers = [new() { Name = name, Value = "Ü ☺" }] }));

    [Theory]
    [InlineData("2026-11-22T09:00:00Z", null)]
    [InlineData("2027-01-21T10:00:00Z", null)]
    [InlineData("2027-01-21T10:00:01Z", "/sendAt invalid_value")]
    public void A_message_may_be_put_off_for_60_days(string sendAt, string? fault)
    {
        var time = DateTimeOffset.Parse(sendAt, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(fault is null ? [] : [fault], Faults(Good with { SendAt = time }));
    }

    [Theory]
    [InlineData("a\rb")]
    [InlineData("a\nb")]
    [InlineData("a\0b")]
    [InlineData("a\tb")]
    [InlineData("a\u0085b")]
    [InlineData("a\u2028b")]
    public void No_text_of_a_header_has_control_characters(string text)
    {
        Assert.Equal(["/headers/0/value invalid_character"], Faults(Good with { Headers = [new() { Name = "X-A", Value = text }] }));
        Assert.Equal(["/subject invalid_character"], Faults(Good with { Subject = text }));
        Assert.Equal(["/tags/0 invalid_character"], Faults(Good with { Tags = [text] }));
        Assert.Equal(["/attachments/0/filename invalid_character"], Faults(Good with { Attachments = [File with { Filename = text }] }));
        Assert.Equal(["/attachments/0/contentType invalid_content_type"], Faults(Good with { Attachments = [File with { ContentType = $"text/plain; a={text}" }] }));
        Assert.Equal(["/attachments/0/contentId invalid_value"], Faults(Good with { Attachments = [File with { ContentId = text }] }));
        Assert.Equal(["/messageId invalid_message_id"], Faults(Good with { MessageId = $"<{text}@b.example>" }));
        if (char.IsControl(text[1])) Assert.Equal(["/to/0 invalid_address"], Faults(Good with { To = [$"{text} <a@b.example>"] }));
    }

    [Theory]
    [InlineData("application/pdf", true)]
    [InlineData("text/calendar; method=REQUEST; charset=\"utf-8\"", true)]
    [InlineData("application/vnd.oasis.opendocument.text", true)]
    [InlineData("pdf", false)]
    [InlineData("", false)]
    [InlineData("text/*", false)]
    [InlineData("multipart/mixed; boundary=x", false)]
    [InlineData("MESSAGE/rfc822", false)]
    [InlineData("text/plain; a=\"b", false)]
    [InlineData("application/a'b", false)]
    [InlineData("~x/y", false)]
    public void A_media_type_is_checked(string type, bool valid) =>
        Assert.Equal(valid ? [] : ["/attachments/0/contentType invalid_content_type"], Faults(Good with { Attachments = [File with { ContentType = type }] }));

    [Theory]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("..")]
    [InlineData("")]
    public void A_file_name_is_no_path(string name) =>
        Assert.Equal(["/attachments/0/filename invalid_value"], Faults(Good with { Attachments = [File with { Filename = name }] }));

    [Fact]
    public void Content_ids_are_different()
    {
        Assert.Empty(Faults(Good with { Attachments = [File with { ContentId = "logo" }, File with { ContentId = "logo2@x" }] }));
        Assert.Equal(["/attachments/1/contentId invalid_value"], Faults(Good with { Attachments = [File with { ContentId = "logo" }, File with { ContentId = "logo" }] }));
    }

    [Theory]
    [InlineData("logo2@x.example", true)]
    [InlineData("part1.a-b_c~d", true)]
    [InlineData("logo.", false)]
    [InlineData("a@.b", false)]
    [InlineData("a@@b", false)]
    [InlineData("a#b", false)]
    [InlineData("a`b", false)]
    public void A_content_id_is_one_that_can_be_composed(string id, bool valid) =>
        Assert.Equal(valid ? [] : ["/attachments/0/contentId invalid_value"], Faults(Good with { Attachments = [File with { ContentId = id }] }));

    [Theory]
    [InlineData("<a@b>", true)]
    [InlineData("<CA+x=1.2-3_4[5]:6@mail.example.com>", true)]
    [InlineData("a@b", false)]
    [InlineData("<ab>", false)]
    [InlineData("<@b>", false)]
    [InlineData("<a@>", false)]
    [InlineData("<a@b> <c@d>", false)]
    [InlineData("<ä@b>", false)]
    [InlineData("<a@b", false)]
    [InlineData("", false)]
    public void A_message_id_is_in_angle_brackets(string id, bool valid)
    {
        Assert.Equal(valid ? [] : ["/messageId invalid_message_id"], Faults(Good with { MessageId = id }));
        Assert.Equal(valid ? [] : ["/references/0 invalid_message_id"], Faults(Good with { References = [id] }));
    }

    [Fact]
    public void Labels_have_limits()
    {
        Assert.Empty(Faults(Good with { Tags = [.. Enumerable.Repeat(new string('x', 64), 10)] }));
        Assert.Equal(["/tags too_many"], Faults(Good with { Tags = [.. Enumerable.Repeat("x", 11)] }));
        Assert.Equal(["/tags/0 too_long"], Faults(Good with { Tags = [new string('x', 65)] }));
        Assert.Equal(["/tags/0 invalid_value"], Faults(Good with { Tags = [""] }));
        Assert.Equal(["/metadata too_many"], Faults(Good with { Metadata = Enumerable.Range(0, 51).ToDictionary(i => $"k{i}", _ => "") }));
        Assert.Equal(["/metadata/k too_long"], Faults(Good with { Metadata = new Dictionary<string, string> { ["k"] = new string('x', 1025) } }));
        Assert.Equal(["/metadata too_long"], Faults(Good with { Metadata = Enumerable.Range(0, 17).ToDictionary(i => $"k{i}", _ => new string('x', 1000)) }));
        Assert.Empty(Faults(Good with { Metadata = new Dictionary<string, string> { ["k"] = "lines\nare\tkept" } }));
    }

    [Fact]
    public void A_date_is_of_this_age() =>
        Assert.Equal(["/date invalid_value"], Faults(Good with { Date = new DateTimeOffset(1969, 12, 31, 23, 59, 59, TimeSpan.Zero) }));

    [Fact]
    public void An_address_named_twice_is_one_recipient()
    {
        var message = Apply(Good with { To = ["A <a@example.org>", "b@example.org"], Cc = ["a@EXAMPLE.org"], Bcc = ["b@example.org", "c@example.org"] }, new Faults());
        Assert.Equal([(RecipientKind.To, "a@example.org"), (RecipientKind.To, "b@example.org"), (RecipientKind.Bcc, "c@example.org")], message.Recipients.Select(r => (r.Kind, r.Address.ToString())));
    }

    private static SendAttachment File => new() { Filename = "a", Content = "" };

    private static MoxApi.Api.Messages.OutgoingMessage Apply(SendMessageRequest request, Faults faults) => MessageRules.Apply(new SendRequest(request, []), Now, faults);

    private static string[] Faults(SendMessageRequest request)
    {
        var faults = new Faults();
        Apply(request, faults);
        return faults.Any ? [.. faults.ToRefusal().Errors!.Select(f => $"{f.Pointer} {f.Code}")] : [];
    }
}
