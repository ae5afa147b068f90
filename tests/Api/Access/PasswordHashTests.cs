using MoxApi.Api.Access;
using Xunit;

namespace MoxApi.Tests.Api.Access;

public class PasswordHashTests
{
    // Made by another implementation (hash-wasm) from the password "pässword ☺" and the salt "0123456789abcdef".
    private const string Foreign = "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$KTZdwbdpAOYW4tEBHveG3QLSUG/icJnTS+Wgxys6j4w";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("pässword ☺", true)]
    [InlineData("pässword ☺ ", false)]
    [InlineData("Pässword ☺", false)]
    [InlineData("", false)]
    public async Task A_verifier_of_another_implementation_is_understood(string password, bool fits) =>
        Assert.Equal(fits, await PasswordHash.VerifyAsync(password, Foreign, () => false, Cancel));

    [Fact]
    public async Task A_password_fits_the_verifier_that_was_made_of_it_and_no_two_are_alike()
    {
        var (one, other) = (await PasswordHash.CreateAsync("moxmoxmox"), await PasswordHash.CreateAsync("moxmoxmox"));

        Assert.NotEqual(one, other);
        Assert.True(await PasswordHash.VerifyAsync("moxmoxmox", one, () => false, Cancel));
        Assert.True(await PasswordHash.VerifyAsync("moxmoxmox", other, () => false, Cancel));
        Assert.False(await PasswordHash.VerifyAsync("moxmoxmoy", one, () => false, Cancel));
    }

    [Fact]
    public async Task Two_hashes_run_at_once_and_who_has_no_verifier_waits_for_his_turn_like_the_others()
    {
        using var go = new ManualResetEventSlim();
        using var begun = new SemaphoreSlim(0);
        var running = Enumerable.Range(0, 2).Select(_ => Task.Run(() => PasswordHash.VerifyAsync("x", Foreign, () =>
        {
            begun.Release();
            go.Wait(TimeSpan.FromMinutes(1));
            return false;
        }, Cancel), Cancel)).ToArray();
        for (var n = 0; n < 2; n++) Assert.True(await begun.WaitAsync(TimeSpan.FromMinutes(1), Cancel));

        var third = false;
        // With a turn free it would be taken before this returns.
        var waiting = PasswordHash.VerifyAsync("x", null, () => !(third = true), Cancel);
        Assert.False(third);

        go.Set();
        Assert.DoesNotContain(true, await Task.WhenAll(running));
        Assert.False(await waiting);
        Assert.True(third);
    }

    [Fact]
    public async Task Who_is_not_admitted_gives_his_turn_back()
    {
        for (var n = 0; n < 4; n++)
            await Assert.ThrowsAsync<InvalidOperationException>(() => PasswordHash.VerifyAsync("x", Foreign, () => throw new InvalidOperationException(), Cancel));

        Assert.True(await PasswordHash.VerifyAsync("pässword ☺", Foreign, () => false, Cancel).WaitAsync(TimeSpan.FromMinutes(1), Cancel));
    }
}
