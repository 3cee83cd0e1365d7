"""What the tests stand on: a server process, a face to talk to it, raw wires, digests."""
