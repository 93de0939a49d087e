"""`python -m gemma_tui` is the same program as `gemma-tui`."""

from gemma_tui.cli.main import main

if __name__ == "__main__":
    main()
