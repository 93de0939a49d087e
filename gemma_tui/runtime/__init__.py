"""The engine process: the only package that imports mlx."""
