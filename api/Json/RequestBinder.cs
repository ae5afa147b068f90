using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MoxApi.OpenApi;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Json;

/// <summary>
/// Makes a request of the contract out of JSON. The serializer stops at the first fault; this walks the JSON along the contract's metadata
/// first and names every fault. A request with faults is bound as well, with harmless values in place of faulty ones, so that the rules for
/// its contents can name theirs in the same answer.
/// </summary>
internal static class RequestBinder
{
    /// <summary>No list or map of a request is longer; shorter limits are the rules' business.</summary>
    public const int MaxEntries = 1000;

    /// <summary>Binds a body to a request; what does not fit is added to <paramref name="faults"/>, and nothing must be done with the request then.</summary>
    public static T Bind<T>(JsonElement body, Faults faults) where T : class
    {
        var type = (JsonTypeInfo<T>)WireJson.Options.GetTypeInfo(typeof(T));
        var found = new Faults();
        new Walk(found, null).Value(body, type, "");
        if (!found.Any) return body.Deserialize(type)!;
        var repaired = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(repaired)) new Walk(faults, writer).Value(body, type, "");
        return JsonSerializer.Deserialize(repaired.WrittenSpan, type)!;
    }

    /// <summary>Names what does not fit in a body but for the entries of its lists, which are bound one by one.</summary>
    public static void CheckAround<T>(JsonElement body, Faults faults) where T : class =>
        new Walk(faults, null, around: true).Value(body, WireJson.Options.GetTypeInfo(typeof(T)), "");

    /// <summary>One pass over the JSON: names faults and, where asked, writes the JSON with stand-ins for what is faulty.</summary>
    private readonly struct Walk(Faults faults, Utf8JsonWriter? repaired, bool around = false)
    {
        public void Value(JsonElement value, JsonTypeInfo type, string pointer)
        {
            var fault = type.Kind switch
            {
                JsonTypeInfoKind.Object => OfKind(value, JsonValueKind.Object, "an object"),
                JsonTypeInfoKind.Dictionary => OfKind(value, JsonValueKind.Object, "an object") ?? NotTooMany(value.GetPropertyCount()),
                JsonTypeInfoKind.Enumerable => OfKind(value, JsonValueKind.Array, "a list") ?? NotTooMany(value.GetArrayLength()),
                _ => Scalar.Fault(value, type),
            };
            if (fault is { } wrong)
            {
                faults.Add(pointer, wrong.Code, wrong.Detail);
                StandIn(type);
            }
            else
            {
                Contents(value, type, pointer);
            }
        }

        private void Contents(JsonElement value, JsonTypeInfo type, string pointer)
        {
            switch (type.Kind)
            {
                case JsonTypeInfoKind.Object:
                    Object(value, type, pointer);
                    break;
                case JsonTypeInfoKind.Dictionary:
                    Map(value, type.Options.GetTypeInfo(type.ElementType!), pointer);
                    break;
                case JsonTypeInfoKind.Enumerable:
                    List(value, type.Options.GetTypeInfo(type.ElementType!), pointer);
                    break;
                default:
                    if (repaired is not null) value.WriteTo(repaired);
                    break;
            }
        }

        private void Object(JsonElement value, JsonTypeInfo type, string pointer)
        {
            repaired?.WriteStartObject();
            var seen = new HashSet<string>();
            foreach (var member in value.EnumerateObject())
            {
                if (faults.Full) break;
                if (Name(member, pointer, seen) is not { } name) continue;
                var property = type.Properties.FirstOrDefault(p => p.Name == name);
                if (property is null)
                {
                    Unknown(name, type, pointer);
                    continue;
                }
                repaired?.WritePropertyName(name);
                Value(member.Value, type.Options.GetTypeInfo(property.PropertyType), JsonPointer.Member(pointer, name));
            }
            foreach (var property in type.Properties)
            {
                if (property.IsRequired && !seen.Contains(property.Name)) Missing(property, type, pointer);
            }
            repaired?.WriteEndObject();
        }

        private void Map(JsonElement value, JsonTypeInfo element, string pointer)
        {
            repaired?.WriteStartObject();
            var seen = new HashSet<string>();
            foreach (var member in value.EnumerateObject())
            {
                if (Name(member, pointer, seen) is not { } name) continue;
                repaired?.WritePropertyName(name);
                Value(member.Value, element, JsonPointer.Member(pointer, name));
            }
            repaired?.WriteEndObject();
        }

        private void List(JsonElement value, JsonTypeInfo element, string pointer)
        {
            if (around) return;
            repaired?.WriteStartArray();
            var index = 0;
            foreach (var item in value.EnumerateArray()) Value(item, element, JsonPointer.Item(pointer, index++));
            repaired?.WriteEndArray();
        }

        /// <summary>The member's name, where it is a text and the first of its name.</summary>
        private string? Name(JsonProperty member, string pointer, HashSet<string> seen)
        {
            if (EscapedText.Fault(JsonMarshal.GetRawUtf8PropertyName(member)) is { } fault)
            {
                faults.Add(pointer, FaultCodes.InvalidCharacter, fault);
                return null;
            }
            var name = member.Name;
            if (seen.Add(name)) return name;
            faults.Add(JsonPointer.Member(pointer, name), FaultCodes.DuplicateField, $"The field \"{JsonPointer.Shorten(name)}\" occurs twice.");
            return null;
        }

        private void Unknown(string name, JsonTypeInfo type, string pointer)
        {
            var guess = Spelling.Nearest(name, type.Properties.Select(p => p.Name));
            var hint = guess is null ? "." : $"; did you mean \"{guess}\"?";
            faults.Add(JsonPointer.Member(pointer, name), FaultCodes.UnknownField, $"There is no field \"{JsonPointer.Shorten(name)}\"{hint}");
        }

        private void Missing(JsonPropertyInfo property, JsonTypeInfo type, string pointer)
        {
            faults.Add(JsonPointer.Member(pointer, property.Name), FaultCodes.Required, $"The field \"{property.Name}\" is needed.");
            repaired?.WritePropertyName(property.Name);
            StandIn(type.Options.GetTypeInfo(property.PropertyType));
        }

        /// <summary>Writes the simplest value of a type: it keeps the places of other values, and the serializer content.</summary>
        private void StandIn(JsonTypeInfo type)
        {
            if (repaired is null) return;
            switch (type.Kind)
            {
                case JsonTypeInfoKind.Object:
                    repaired.WriteStartObject();
                    foreach (var property in type.Properties.Where(p => p.IsRequired))
                    {
                        repaired.WritePropertyName(property.Name);
                        StandIn(type.Options.GetTypeInfo(property.PropertyType));
                    }
                    repaired.WriteEndObject();
                    break;
                case JsonTypeInfoKind.Dictionary:
                    repaired.WriteStartObject();
                    repaired.WriteEndObject();
                    break;
                case JsonTypeInfoKind.Enumerable:
                    repaired.WriteStartArray();
                    repaired.WriteEndArray();
                    break;
                default:
                    Scalar.WriteStandIn(repaired, type);
                    break;
            }
        }

        private static (string Code, string Detail)? OfKind(JsonElement value, JsonValueKind kind, string name) =>
            value.ValueKind == kind ? null : Scalar.WrongType(value, name);

        private static (string Code, string Detail)? NotTooMany(int count) => count <= MaxEntries
            ? null
            : (FaultCodes.TooMany, string.Create(CultureInfo.InvariantCulture, $"There are {count} entries; at most {MaxEntries} are allowed."));
    }
}
