using MoxApi.Api.Access;
using Xunit;

namespace MoxApi.Tests.Api.Access;

public class ApiKeyHashTests
{
    [Fact]
    public void A_key_has_256_random_bits_behind_its_prefix_and_fits_a_header()
    {
        var keys = Enumerable.Range(0, 100).Select(_ => ApiKeyHash.NewKey()).ToArray();

        Assert.All(keys, key => Assert.Matches("^mox_[A-Za-z0-9_-]{43}$", key));
        Assert.Equal(keys.Length, keys.Distinct().Count());
    }

    [Fact]
    public void What_is_stored_is_SHA256_of_the_whole_key() =>
        Assert.Equal("81b5f328956401b255a8c78df038eb10bb04347a059ac23bd9a48afc4f056ba6", Convert.ToHexStringLower(ApiKeyHash.Of("mox_x")));

    [Fact]
    public void What_is_shown_tells_keys_apart_and_leaves_nearly_all_of_them_unknown()
    {
        var key = ApiKeyHash.NewKey();

        Assert.StartsWith(ApiKeyHash.Shown(key), key);
        Assert.Equal("mox_".Length + 8, ApiKeyHash.Shown(key).Length);
        Assert.Equal("mox", ApiKeyHash.Shown("mox"));
    }
}
