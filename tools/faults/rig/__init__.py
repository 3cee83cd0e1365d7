"""What the lines stand on: a server under a tool, a wire, a load with its journal, devices that break."""
