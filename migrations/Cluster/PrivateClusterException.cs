namespace MoxApi.Migrations.Cluster;

/// <summary>The private PostgreSQL cannot be used as asked. The message is a sentence for the person at the keyboard and says what to do.</summary>
public sealed class PrivateClusterException : Exception
{
    /// <summary>An exception with such a message.</summary>
    public PrivateClusterException(string message) : base(message) { }

    /// <summary>An exception with such a message and its cause.</summary>
    public PrivateClusterException(string message, Exception cause) : base(message, cause) { }
}
