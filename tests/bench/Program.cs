using MoxApi.Bench;

return await BenchCommand.Create().Parse(args).InvokeAsync();
