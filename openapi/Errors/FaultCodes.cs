namespace MoxApi.OpenApi.Errors;

/// <summary>The values of <see cref="Fault.Code"/>. They do not change; more may be added.</summary>
public static class FaultCodes
{
    /// <summary>The text is no JSON; the detail tells line and byte.</summary>
    public const string InvalidJson = "invalid_json";

    /// <summary>There is no such field.</summary>
    public const string UnknownField = "unknown_field";

    /// <summary>A field occurs twice in its object.</summary>
    public const string DuplicateField = "duplicate_field";

    /// <summary>A value is not of its field's type.</summary>
    public const string InvalidType = "invalid_type";

    /// <summary>A field that is needed is missing.</summary>
    public const string Required = "required";

    /// <summary>A value is of the right type, but not one of those allowed.</summary>
    public const string InvalidValue = "invalid_value";

    /// <summary>A text has a character that is not allowed there.</summary>
    public const string InvalidCharacter = "invalid_character";

    /// <summary>A text is longer than allowed.</summary>
    public const string TooLong = "too_long";

    /// <summary>A list has more entries than allowed.</summary>
    public const string TooMany = "too_many";

    /// <summary>A text is no address.</summary>
    public const string InvalidAddress = "invalid_address";

    /// <summary>A text is no domain.</summary>
    public const string InvalidDomain = "invalid_domain";

    /// <summary>There is no such thing as the value names, or it is not yours.</summary>
    public const string UnknownReference = "unknown_reference";

    /// <summary>The account may not send from the address: the fault beside others of what alone is the problem <see cref="ErrorCodes.SenderNotAllowed"/>.</summary>
    public const string SenderNotAllowed = "sender_not_allowed";

    /// <summary>A text is no base64.</summary>
    public const string InvalidBase64 = "invalid_base64";

    /// <summary>A header field that the service writes itself, or a name that is none.</summary>
    public const string InvalidHeader = "invalid_header";

    /// <summary>A text is no media type, or one that a file may not have.</summary>
    public const string InvalidContentType = "invalid_content_type";

    /// <summary>A text is no message id.</summary>
    public const string InvalidMessageId = "invalid_message_id";

    /// <summary>A text is no address of a web page that can be posted to.</summary>
    public const string InvalidUrl = "invalid_url";

    /// <summary>The cursor is none of this list's.</summary>
    public const string InvalidCursor = "invalid_cursor";
}
