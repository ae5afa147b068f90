using Npgsql;

namespace MoxApi.Api.Messages.Searching;

/// <summary>A statement that is put together with its values; each value is named once it is added.</summary>
internal sealed class Statement
{
    private readonly List<object> _values = [];

    public string Text { get; set; } = "";

    /// <summary>Adds a value, and names it.</summary>
    public string Value(object value)
    {
        _values.Add(value);
        return $"${_values.Count}";
    }

    public NpgsqlCommand On(NpgsqlConnection connection)
    {
        var command = new NpgsqlCommand(Text, connection);
        foreach (var value in _values) command.Parameters.Add(new() { Value = value });
        return command;
    }
}
