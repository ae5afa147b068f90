namespace MoxApi.Migrations.Secrets;

/// <summary>A secret cannot be read, or a sealed value cannot be opened. The message says why and never has the secret.</summary>
public sealed class SecretException : Exception
{
    /// <summary>An exception with a message for people.</summary>
    public SecretException(string message) : base(message) { }

    /// <summary>An exception with a message for people and its cause.</summary>
    public SecretException(string message, Exception cause) : base(message, cause) { }
}
