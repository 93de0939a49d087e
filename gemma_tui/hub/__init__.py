"""Which models there are. Reads small files only; what is inside a model, the engine knows."""
