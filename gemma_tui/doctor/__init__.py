"""What `gemma-tui doctor` looks at: this machine, this terminal, what is stored."""
