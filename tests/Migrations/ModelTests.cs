using Microsoft.EntityFrameworkCore;
using MoxApi.Migrations;
using Xunit;

namespace MoxApi.Tests.Migrations;

public class ModelTests
{
    [Fact]
    public void The_migrations_match_the_model()
    {
        var options = new DbContextOptionsBuilder<MailDbContext>();
        MailDbContext.Configure(options);
        using var context = new MailDbContext(options.Options);

        Assert.False(context.Database.HasPendingModelChanges(), "The model was changed: dotnet ef migrations add <Name> --project migrations");
    }
}
