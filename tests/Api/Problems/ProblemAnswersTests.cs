using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MoxApi.Api.Problems;
using Xunit;

namespace MoxApi.Tests.Api.Problems;

public class ProblemAnswersTests
{
    private readonly Lines logged = new();

    [Fact]
    public async Task A_client_that_resets_its_connection_is_not_answered_and_not_logged()
    {
        var status = await AnswerAsync(new ConnectionResetException("The client reset the request stream."));

        Assert.Equal(StatusCodes.Status200OK, status); // As it is before anything is answered.
        Assert.Empty(logged.Written);
    }

    [Fact]
    public async Task A_fault_of_the_program_is_answered_and_logged()
    {
        var status = await AnswerAsync(new InvalidOperationException("No."));

        Assert.Equal(StatusCodes.Status500InternalServerError, status);
        Assert.Single(logged.Written);
    }

    private async Task<int> AnswerAsync(Exception fault)
    {
        await using var services = new ServiceCollection().BuildServiceProvider();
        var http = new DefaultHttpContext { RequestServices = services };
        await new ProblemAnswers(_ => throw fault, logged).InvokeAsync(http);
        return http.Response.StatusCode;
    }

    private sealed class Lines : ILogger<ProblemAnswers>
    {
        public List<string> Written { get; } = [];

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Written.Add(formatter(state, exception));
    }
}
