using System.Text.Json;
using MoxApi.OpenApi;
using MoxApi.OpenApi.Events;

namespace MoxApi.Webhooks.Events;

/// <summary>What events about an account store as their detail: the figures that were judged, under their public names.</summary>
internal static class AccountDetail
{
    /// <summary>The public object of a stored detail.</summary>
    public static EventAccount Read(string detail) => JsonSerializer.Deserialize<EventAccount>(detail, WireJson.Options)!;
}
