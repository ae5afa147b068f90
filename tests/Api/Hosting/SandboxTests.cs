using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Hosting;
using MoxApi.Migrations.Secrets;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Api.Hosting;

public class SandboxTests(TestPostgres postgres)
{
    [Fact]
    public async Task Its_credentials_are_refused_outside_of_it()
    {
        await using var installation = await Installation.CreateAsync(postgres);
        var cancel = TestContext.Current.CancellationToken;
        await Sandbox.RefuseAsync(installation.Database, cancel);

        await Sandbox.PrepareAsync(installation.Database, new SecretBox(MasterKey.Parse(Convert.ToBase64String(new byte[32]))), cancel);

        var fault = await Assert.ThrowsAsync<SettingsException>(() => Sandbox.RefuseAsync(installation.Database, cancel));
        Assert.Contains("--data-dir", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_prepared_once()
    {
        await using var installation = await Installation.CreateAsync(postgres);
        var secrets = new SecretBox(MasterKey.Parse(Convert.ToBase64String(new byte[32])));

        for (var start = 0; start < 2; start++) await Sandbox.PrepareAsync(installation.Database, secrets, TestContext.Current.CancellationToken);

        await using var context = installation.Open();
        Assert.Equal(1, await context.Accounts.CountAsync(a => a.Name == Sandbox.AccountName, TestContext.Current.CancellationToken));
    }
}
