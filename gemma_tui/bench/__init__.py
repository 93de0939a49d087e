"""How fast models are on this machine: measured through the engine process, kept for estimates."""
