using Microsoft.AspNetCore.Http;
using MoxApi.Api.Json;
using MoxApi.Api.Messages;
using Xunit;

namespace MoxApi.Tests.Api.Messages;

public class IdempotencyKeyTests
{
    [Theory]
    [InlineData("It is given once.", "a", "b")]
    [InlineData("The key has 1 to 255 printable ASCII characters.", "é")]
    public void What_is_wrong_with_a_key_is_named(string detail, params string[] fields)
    {
        var faults = new Faults();

        Assert.Null(IdempotencyKey.Read(new HeaderDictionary { ["Idempotency-Key"] = fields }, faults));

        Assert.Equal(("Idempotency-Key", detail), (faults.All.Single().Parameter, faults.All.Single().Detail));
    }
}
