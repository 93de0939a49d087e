"""The command line: the composition root. Constructs, wires, exits with the right code."""
