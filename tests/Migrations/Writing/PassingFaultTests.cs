using MoxApi.Migrations.Writing;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Migrations.Writing;

public class PassingFaultTests
{
    [Theory]
    [InlineData("FATAL", "XX000", true)] // could not write init file: a new connection on a full disk
    [InlineData("FATAL", "57P01", true)]
    [InlineData("PANIC", "XX000", true)]
    [InlineData("ERROR", "25006", true)]
    [InlineData("ERROR", "XX000", false)]
    [InlineData("ERROR", "42601", false)]
    [InlineData("ERROR", "23505", false)]
    public void PostgreSQL_that_ends_connections_or_cannot_write_passes_and_a_statement_that_is_wrong_does_not(string severity, string state, bool passes)
    {
        Exception fault = new PostgresException("", severity, severity, state);

        Assert.Equal(passes, PassingFault.IsOutage(fault));
        Assert.Equal(passes, PassingFault.IsOutage(new InvalidOperationException("As EF Core wraps it.", fault)));
    }

    [Theory]
    [InlineData("53100", true)]
    [InlineData("53300", true)]
    [InlineData("57014", false)]
    public void Class_53_is_a_shortage(string state, bool isShortage) => Assert.Equal(isShortage, PassingFault.IsShortage(new PostgresException("", "ERROR", "ERROR", state)));
}
