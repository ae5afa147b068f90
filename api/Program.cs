Console.WriteLine("MoxApi");
