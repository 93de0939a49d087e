"""How to reach a model: the protocol on the pipe, and the client that owns the engine process."""
