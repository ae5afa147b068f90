using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using MoxApi.Mail.Dns;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Mail.Dns;

public sealed class DnsResolverTests : IDisposable
{
    private readonly FakeDns dns = new();
    private readonly FakeTimeProvider clock = new();
    private readonly DnsResolver resolver;

    public DnsResolverTests() => resolver = Resolver(new DnsResolverOptions());

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => dns.Dispose();

    [Fact]
    public void There_is_room_for_the_questions_of_all_connections_so_that_silent_servers_keep_nobody_waiting() =>
        Assert.True(new DnsResolverOptions().MaximumConcurrentQuestions >= 2 * new MoxApi.Delivery.DeliveryOptions().MaxConnections);

    [Fact]
    public async Task Mail_exchanges_come_with_preference_and_lower_case_host()
    {
        dns.Mx("acme.example", 10, "MX1.acme.example").Mx("acme.example", 20, "_mx2._under.acme.example");
        var answer = await resolver.MailExchangesAsync("Acme.Example.", Stop);
        Assert.Equal(DnsStatus.Found, answer.Status);
        Assert.Equal([new(10, "mx1.acme.example"), new(20, "_mx2._under.acme.example")], answer.Records.OrderBy(each => each.Preference));
        Assert.Equal(TimeSpan.FromSeconds(300), answer.TimeToLive);
    }

    [Fact]
    public async Task The_root_as_a_mail_exchange_reads_as_an_empty_host()
    {
        dns.Mx("acme.example", 0, ".");
        Assert.Equal([new(0, "")], (await resolver.MailExchangesAsync("acme.example", Stop)).Records);
    }

    [Fact]
    public async Task Addresses_alternate_between_the_families_beginning_with_ipv6()
    {
        dns.Address("mx.example", "192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1");
        var answer = await resolver.AddressesAsync("mx.example", Stop);
        Assert.Equal(4, answer.Records.Count);
        Assert.Equal(
            [AddressFamily.InterNetworkV6, AddressFamily.InterNetwork, AddressFamily.InterNetwork, AddressFamily.InterNetwork],
            answer.Records.Select(each => each.AddressFamily));
    }

    [Fact]
    public async Task Strings_of_one_text_record_are_joined_and_records_are_not()
    {
        dns.Txt("s1._domainkey.acme.example", new string('a', 255), "b;c").Txt("s1._domainkey.acme.example", "other");
        var answer = await resolver.TextsAsync("s1._domainkey.acme.example", Stop);
        Assert.Equal([new string('a', 255) + "b;c", "other"], answer.Records.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_name_without_records_of_the_type_is_no_data()
    {
        dns.Txt("acme.example", "x");
        Assert.Equal(DnsStatus.NoData, (await resolver.MailExchangesAsync("acme.example", Stop)).Status);
        Assert.Equal(DnsStatus.NoData, (await resolver.AddressesAsync("acme.example", Stop)).Status);
    }

    [Fact]
    public async Task A_name_that_does_not_exist_is_a_name_error()
    {
        Assert.Equal(DnsStatus.NameError, (await resolver.MailExchangesAsync("none.example", Stop)).Status);
        Assert.Equal(DnsStatus.NameError, (await resolver.AddressesAsync("none.example", Stop)).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("a..example")]
    [InlineData("a b.example")]
    [InlineData("a\\.example")]
    [InlineData("ä.example")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123.example")]
    public async Task What_is_no_name_in_dns_does_not_exist_and_is_not_asked(string name)
    {
        Assert.Equal(DnsStatus.NameError, (await resolver.AddressesAsync(name, Stop)).Status);
        Assert.Equal(0, dns.Asked(name));
    }

    [Fact]
    public async Task Servfail_refused_and_silence_are_temporary_and_say_so()
    {
        var impatient = Resolver(new DnsResolverOptions { Timeout = TimeSpan.FromMilliseconds(100), Retries = 0 });
        dns.Fails("fails.example").Refuses("refuses.example").IsSilent("silent.example");
        foreach (var name in (string[])["fails.example", "refuses.example", "silent.example"])
        {
            var answer = await impatient.MailExchangesAsync(name, Stop);
            Assert.Equal(DnsStatus.TemporaryFailure, answer.Status);
            Assert.False(string.IsNullOrEmpty(answer.Fault));
            Assert.Empty(answer.Records);
        }
        Assert.Equal(1, dns.Asked("silent.example", "MX"));
    }

    [Fact]
    public async Task A_silent_server_is_asked_again_and_then_the_next_one_answers()
    {
        using var other = new FakeDns();
        other.Mx("acme.example", 10, "mx.acme.example");
        dns.IsSilent("acme.example");
        var both = new DnsResolver(
            new DnsResolverOptions { Servers = [dns.EndPoint, other.EndPoint], Timeout = TimeSpan.FromMilliseconds(500), Retries = 1 }, clock);
        Assert.Equal(DnsStatus.Found, (await both.MailExchangesAsync("acme.example", Stop)).Status);
        Assert.Equal(2, dns.Asked("acme.example"));
    }

    [Fact]
    public async Task The_next_server_answers_where_one_fails_but_is_not_asked_where_one_says_no()
    {
        using var other = new FakeDns();
        other.Mx("fails.example", 10, "mx.acme.example").Mx("empty.example", 10, "x.example").Mx("none.example", 10, "x.example");
        dns.Fails("fails.example").IsEmpty("empty.example");
        var both = new DnsResolver(new DnsResolverOptions { Servers = [dns.EndPoint, other.EndPoint] }, clock);
        Assert.Equal(DnsStatus.Found, (await both.MailExchangesAsync("fails.example", Stop)).Status);
        Assert.Equal(DnsStatus.NoData, (await both.MailExchangesAsync("empty.example", Stop)).Status);
        Assert.Equal(DnsStatus.NameError, (await both.MailExchangesAsync("none.example", Stop)).Status);
    }

    [Fact]
    public async Task A_server_that_does_not_exist_is_a_temporary_failure()
    {
        var endPoint = dns.EndPoint;
        dns.Dispose();
        var alone = new DnsResolver(new DnsResolverOptions { Servers = [endPoint], Timeout = TimeSpan.FromMilliseconds(100), Retries = 0 }, clock);
        Assert.Equal(DnsStatus.TemporaryFailure, (await alone.TextsAsync("acme.example", Stop)).Status);
    }

    [Fact]
    public async Task One_family_that_fails_does_not_hide_the_other_but_outweighs_no_data()
    {
        dns.Address("mx.example", "192.0.2.1");
        Assert.Equal([IPAddress.Parse("192.0.2.1")], (await resolver.AddressesAsync("mx.example", Stop)).Records);
        dns.Fails("mx.example", "AAAA");
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal([IPAddress.Parse("192.0.2.1")], (await resolver.AddressesAsync("mx.example", Stop)).Records);
        dns.Remove("mx.example").IsEmpty("mx.example").Fails("mx.example", "AAAA");
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(DnsStatus.TemporaryFailure, (await resolver.AddressesAsync("mx.example", Stop)).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Aliases_are_followed_within_an_answer_and_from_answer_to_answer(bool inOneAnswer)
    {
        dns.FollowsAliases = inOneAnswer;
        dns.Cname("a.example", "b.example").Cname("b.example", "C.example").Mx("c.example", 5, "mx.example");
        var answer = await resolver.MailExchangesAsync("a.example", Stop);
        Assert.Equal([new(5, "mx.example")], answer.Records);
        Assert.Equal("c.example", answer.Name);
        Assert.Equal(inOneAnswer ? 0 : 1, dns.Asked("c.example"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_alias_of_nothing_is_what_its_target_is(bool inOneAnswer)
    {
        dns.FollowsAliases = inOneAnswer;
        dns.Cname("a.example", "none.example").Cname("b.example", "empty.example").IsEmpty("empty.example");
        Assert.Equal(DnsStatus.NameError, (await resolver.MailExchangesAsync("a.example", Stop)).Status);
        Assert.Equal(DnsStatus.NoData, (await resolver.MailExchangesAsync("b.example", Stop)).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Aliases_in_a_circle_end_as_a_temporary_failure(bool inOneAnswer)
    {
        dns.FollowsAliases = inOneAnswer;
        dns.Cname("a.example", "b.example").Cname("b.example", "a.example");
        Assert.Equal(DnsStatus.TemporaryFailure, (await resolver.MailExchangesAsync("a.example", Stop)).Status);
        Assert.InRange(dns.Asked("a.example") + dns.Asked("b.example"), 1, 12);
    }

    [Fact]
    public async Task Ten_aliases_in_a_row_are_followed_and_eleven_are_not()
    {
        dns.FollowsAliases = false;
        for (var n = 0; n < 11; n++) dns.Cname($"n{n}.example", $"n{n + 1}.example");
        dns.Mx("n11.example", 1, "mx.example");
        Assert.Equal(DnsStatus.Found, (await resolver.MailExchangesAsync("n1.example", Stop)).Status);
        Assert.Equal(DnsStatus.TemporaryFailure, (await resolver.MailExchangesAsync("n0.example", Stop)).Status);
    }

    [Fact]
    public async Task An_answer_too_long_for_udp_comes_over_tcp()
    {
        for (var n = 0; n < 20; n++) dns.Txt("long.example", $"{n} {new string('x', 200)}");
        Assert.Equal(20, (await resolver.TextsAsync("long.example", Stop)).Records.Count);
        Assert.Equal(1, dns.AskedOverTcp("long.example"));
    }

    [Fact]
    public async Task Of_a_very_long_answer_only_the_first_hundred_records_are_taken()
    {
        for (var n = 0; n < 150; n++) dns.Mx("many.example", n, $"mx{n}.example");
        Assert.Equal(100, (await resolver.MailExchangesAsync("many.example", Stop)).Records.Count);
    }

    [Fact]
    public async Task The_authentic_data_bit_counts_only_from_trusted_servers_and_for_every_alias()
    {
        dns.Validates = true;
        dns.Mx("acme.example", 10, "mx.example");
        Assert.True((await resolver.MailExchangesAsync("acme.example", Stop)).IsAuthenticated);
        var distrustful = Resolver(new DnsResolverOptions { TrustAuthenticData = false });
        Assert.False((await distrustful.MailExchangesAsync("acme.example", Stop)).IsAuthenticated);
        dns.Validates = false;
        clock.Advance(TimeSpan.FromHours(1));
        Assert.False((await resolver.MailExchangesAsync("acme.example", Stop)).IsAuthenticated);
    }

    [Fact]
    public async Task An_answer_is_remembered_for_its_time_to_live()
    {
        dns.TimeToLive = 60;
        dns.Mx("acme.example", 10, "mx.example");
        await resolver.MailExchangesAsync("acme.example", Stop);
        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(TimeSpan.FromSeconds(1), (await resolver.MailExchangesAsync("ACME.example", Stop)).TimeToLive);
        Assert.Equal(1, dns.Asked("acme.example"));
        clock.Advance(TimeSpan.FromSeconds(1));
        await resolver.MailExchangesAsync("acme.example", Stop);
        Assert.Equal(2, dns.Asked("acme.example"));
    }

    [Fact]
    public async Task A_long_time_to_live_is_cut()
    {
        dns.TimeToLive = 86_400;
        dns.Mx("acme.example", 10, "mx.example");
        Assert.Equal(TimeSpan.FromMinutes(5), (await resolver.MailExchangesAsync("acme.example", Stop)).TimeToLive);
    }

    [Theory]
    [InlineData(30, 30)]
    [InlineData(7200, 60)]
    public async Task Nothing_is_remembered_for_the_minimum_of_the_soa_but_not_long(int minimum, int kept)
    {
        dns.NegativeTimeToLive = minimum;
        Assert.Equal(DnsStatus.NameError, (await resolver.MailExchangesAsync("none.example", Stop)).Status);
        dns.Mx("none.example", 10, "mx.example");
        clock.Advance(TimeSpan.FromSeconds(kept - 1));
        Assert.Equal(DnsStatus.NameError, (await resolver.MailExchangesAsync("none.example", Stop)).Status);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(DnsStatus.Found, (await resolver.MailExchangesAsync("none.example", Stop)).Status);
    }

    [Fact]
    public async Task A_failure_is_remembered_for_five_seconds()
    {
        dns.Fails("acme.example");
        await resolver.MailExchangesAsync("acme.example", Stop);
        dns.Remove("acme.example").Mx("acme.example", 10, "mx.example");
        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(DnsStatus.TemporaryFailure, (await resolver.MailExchangesAsync("acme.example", Stop)).Status);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(DnsStatus.Found, (await resolver.MailExchangesAsync("acme.example", Stop)).Status);
    }

    [Fact]
    public async Task Equal_questions_at_the_same_time_are_asked_once_and_one_who_gives_up_does_not_stop_the_others()
    {
        dns.Mx("acme.example", 10, "mx.example");
        using var givesUp = new CancellationTokenSource();
        await givesUp.CancelAsync();
        var impatient = resolver.MailExchangesAsync("acme.example", givesUp.Token);
        var others = Enumerable.Range(0, 50).Select(_ => resolver.MailExchangesAsync("acme.example", Stop)).ToArray();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        Assert.All(await Task.WhenAll(others), each => Assert.Equal(DnsStatus.Found, each.Status));
        Assert.Equal(1, dns.Asked("acme.example"));
    }

    [Fact]
    public async Task Bytes_that_are_no_answer_are_a_temporary_failure()
    {
        using var socket = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var babbling = BabbleAsync(socket, done.Token);
        var babbled = new DnsResolver(
            new DnsResolverOptions { Servers = [(IPEndPoint)socket.Client.LocalEndPoint!], Timeout = TimeSpan.FromMilliseconds(50), Retries = 0 }, clock);
        for (var n = 0; n < 100; n++)
            Assert.NotEqual(DnsStatus.Found, (await babbled.MailExchangesAsync($"n{n}.example", Stop)).Status);
        await done.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => babbling);
    }

    // Answers with the question's id and random bytes after it, from a fixed seed.
    private static async Task BabbleAsync(UdpClient socket, CancellationToken stop)
    {
        var random = new Random(7);
        while (true)
        {
            var question = await socket.ReceiveAsync(stop);
            var answer = question.Buffer.AsSpan().ToArray();
            var from = random.Next(2, 20);
            random.NextBytes(answer.AsSpan(from));
            await socket.SendAsync(answer, question.RemoteEndPoint, stop);
        }
    }

    private DnsResolver Resolver(DnsResolverOptions options) => new(options with { Servers = [dns.EndPoint] }, clock);
}
