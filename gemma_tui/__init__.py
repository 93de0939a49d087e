"""gemma-tui: a full-screen terminal chat with Gemma 4 that sees, hears and answers, offline."""

__version__ = "0.1.0"
