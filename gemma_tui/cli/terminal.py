"""What the terminal can do, as far as that can be told without asking it."""

from __future__ import annotations

import os
import sys


def is_dumb_terminal() -> bool:
    """Whether this is a terminal that cannot move the cursor: TERM says so, or says nothing."""
    is_terminal = all(stream and stream.isatty() for stream in (sys.stdin, sys.stdout))
    return is_terminal and os.environ.get("TERM", "dumb") in {"", "dumb"}
