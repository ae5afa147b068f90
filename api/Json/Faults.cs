using System.Globalization;
using MoxApi.Api.Problems;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Json;

/// <summary>Collects the faults of a request, so that one answer names them all.</summary>
internal sealed class Faults
{
    /// <summary>More faults than this are not listed: an answer stays small whatever was sent.</summary>
    public const int Limit = 100;

    private readonly List<Fault> _faults = [];
    private readonly HashSet<string> _pointers = [];

    /// <summary>What was named.</summary>
    public IReadOnlyList<Fault> All => _faults;

    public bool Any => _faults.Count > 0;

    /// <summary>Whether looking for more would be in vain.</summary>
    public bool Full { get; private set; }

    /// <summary>Names a fault of a value in the body; the first at a value, or at one that it is part of, stands for the others.</summary>
    public void Add(string pointer, string code, string detail)
    {
        if (!Covered(pointer) && HasRoom())
        {
            _pointers.Add(pointer);
            _faults.Add(new Fault { Pointer = pointer, Code = code, Detail = detail });
        }
    }

    /// <summary>Names a fault of a parameter or header field.</summary>
    public void AddParameter(string name, string code, string detail)
    {
        if (HasRoom()) _faults.Add(new Fault { Parameter = name, Code = code, Detail = detail });
    }

    /// <summary>The answer that names them.</summary>
    public Refusal ToRefusal() => new(StatusCodes.Status422UnprocessableEntity, ErrorCodes.InvalidRequest, Title) { Errors = _faults };

    /// <exception cref="RefusalException">There are faults.</exception>
    public void ThrowIfAny()
    {
        if (Any) throw new RefusalException(ToRefusal());
    }

    private string Title => (Full, _faults.Count) switch
    {
        (true, _) => string.Create(CultureInfo.InvariantCulture, $"The request has more than {Limit} faults."),
        (_, 1) => "The request has 1 fault.",
        (_, var count) => string.Create(CultureInfo.InvariantCulture, $"The request has {count} faults."),
    };

    private bool HasRoom()
    {
        if (_faults.Count == Limit) Full = true;
        return !Full;
    }

    private bool Covered(string pointer)
    {
        if (_pointers.Contains(pointer)) return true;
        for (var end = pointer.LastIndexOf('/'); end > 0; end = pointer.LastIndexOf('/', end - 1))
        {
            if (_pointers.Contains(pointer[..end])) return true;
        }
        return false;
    }
}
