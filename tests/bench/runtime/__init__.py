"""The runtime against other runtimes on the same weights: `python -m tests.bench.runtime --help`."""
