namespace MoxApi.Mail.Smtp.Client;

/// <summary>One timer for all the waits of a connection, so that a wait costs no allocation.</summary>
internal sealed class Deadline(TimeProvider time) : IDisposable
{
    private CancellationTokenSource _source = new(Timeout.InfiniteTimeSpan, time);

    /// <summary>Starts the clock, and lets the caller's token end the wait as well.</summary>
    public Running Start(TimeSpan timeout, CancellationToken stop)
    {
        _source.CancelAfter(timeout);
        if (_source.IsCancellationRequested) // It fired as the last wait ended.
        {
            _source.Dispose();
            _source = new CancellationTokenSource(timeout, time);
        }
        return new Running(_source, stop);
    }

    public void Dispose() => _source.Dispose();

    internal readonly struct Running : IDisposable
    {
        private readonly CancellationTokenSource _source;
        private readonly CancellationTokenRegistration _registration;

        public Running(CancellationTokenSource source, CancellationToken stop)
        {
            _source = source;
            _registration = stop.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), source);
        }

        public CancellationToken Token => _source.Token;

        public void Dispose()
        {
            _registration.Dispose();
            _source.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }
}
