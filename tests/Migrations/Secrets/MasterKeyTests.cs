using MoxApi.Migrations.Secrets;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Migrations.Secrets;

public sealed class MasterKeyTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public MasterKeyTests() => Directory.CreateDirectory(folder.FullName);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_data_folders_key_is_made_once_and_only_its_owner_may_read_it()
    {
        var key = MasterKey.ReadOrCreate(folder.FullName);

        Assert.Equal(key.Id, MasterKey.ReadOrCreate(folder.FullName).Id);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.Combine("master.key")));
        Assert.Equal(["master.key"], Directory.EnumerateFiles(folder.FullName).Select(Path.GetFileName));
    }

    [Fact]
    public void A_data_folder_that_is_not_there_is_made_for_its_owner()
    {
        MasterKey.ReadOrCreate(folder.Combine("new"));

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder.Combine("new")));
    }

    [Fact]
    public void All_who_make_it_at_once_get_the_same_key()
    {
        for (var round = 0; round < 200; round++)
        {
            var keys = new MasterKey[8];
            var mine = folder.Combine($"{round}");

            Parallel.For(0, keys.Length, i => keys[i] = MasterKey.ReadOrCreate(mine));

            Assert.Single(keys.Select(key => key.Id).Distinct());
        }
    }

    [Fact]
    public void A_key_that_others_may_read_is_refused()
    {
        MasterKey.ReadOrCreate(folder.FullName);
        File.SetUnixFileMode(folder.Combine("master.key"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);

        var failure = Assert.Throws<SecretException>(() => MasterKey.ReadOrCreate(folder.FullName));

        Assert.Contains("chmod 600", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not base64")]
    [InlineData("c2hvcnQ=")]
    public void A_file_without_a_key_is_refused_and_not_replaced(string content)
    {
        File.WriteAllText(folder.Combine("master.key"), content);
        File.SetUnixFileMode(folder.Combine("master.key"), UnixFileMode.UserRead | UnixFileMode.UserWrite);

        Assert.Throws<SecretException>(() => MasterKey.ReadOrCreate(folder.FullName));

        Assert.Equal(content, File.ReadAllText(folder.Combine("master.key")));
    }

    [Theory]
    [InlineData(31)]
    [InlineData(33)]
    [InlineData(64)]
    public void A_key_of_another_size_is_refused(int size) => Assert.Throws<SecretException>(() => MasterKey.Parse(Convert.ToBase64String(new byte[size])));
}
