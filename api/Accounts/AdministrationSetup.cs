using MoxApi.Api.Domains;
using MoxApi.Api.Keys;
using MoxApi.Api.Recipients;

namespace MoxApi.Api.Accounts;

/// <summary>Administration as a part of the HTTP API: who may send, from where, and with which keys.</summary>
internal static class AdministrationSetup
{
    public static IServiceCollection AddAdministration(this IServiceCollection services) => services
        .AddSingleton<Stops>()
        .AddSingleton<StoredAccounts>()
        .AddSingleton<StoredAddresses>()
        .AddSingleton<StoredDomains>()
        .AddSingleton<StoredDkimKeys>()
        .AddSingleton<StoredApiKeys>()
        .AddSingleton<DomainView>()
        .AddSingleton<StoredErasure>();

    public static void MapAdministration(this IEndpointRouteBuilder v1)
    {
        v1.MapAccounts();
        v1.MapAddresses();
        v1.MapDomains();
        v1.MapDkimKeys();
        v1.MapApiKeys();
        v1.MapErasure();
    }
}
