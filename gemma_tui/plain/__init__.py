"""Plain mode: a linear chat on the standard streams, without drawing or escape sequences."""
