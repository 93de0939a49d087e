"""What the full-screen app and plain mode share: commands, drops, a running turn, the model."""
