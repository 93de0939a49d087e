"""The networks of Gemma 4."""
