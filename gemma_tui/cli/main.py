"""The entry point: runs a command and exits with the right code.

Exit codes: 0 success; 2 wrong use, that is, the command line itself is wrong (unknown option, no
prompt, not a token budget); 1 anything else that failed, such as a file that cannot be attached;
130 stopped by Ctrl-C; 128 + n ended by signal n (143: SIGTERM; 141: whoever read the answer went
away).
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING, NoReturn

from gemma_tui.cli.closed_output import closed_output
from gemma_tui.errors import BudgetError, GemmaError, UsageError
from gemma_tui.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run `gemma-tui` with the arguments of this process, or the given ones, and exit."""
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    _prepare_streams()
    try:
        # Imported here, so that Ctrl-C during the imports ends quietly as well.
        from gemma_tui.network import install_guard  # noqa: PLC0415

        network = install_guard()  # before anything else is imported
        from gemma_tui.cli.commands import run_command  # noqa: PLC0415

        return run_command(arguments, network)
    except GemmaError as error:
        sys.stderr.write(f"gemma-tui: {sanitize(str(error))}\n")
        _discard_output()
        return 2 if isinstance(error, UsageError | BudgetError) else 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        _discard_output()
        return 128 + signal.SIGPIPE
    except OSError as error:
        if error.errno != errno.EBADF:  # that is a standard output that was closed
            raise
        sys.stderr.write(f"gemma-tui: {closed_output()}\n")
        _discard_output()
        return 1


def _discard_output() -> None:
    # Everything was flushed when it was written: what is left could not be, and Python must not
    # try again at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _prepare_streams() -> None:
    # Were a standard stream closed, the next file opened would get its number, and the answer.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    if sys.stdout is None:
        # Read-only: what is written there fails, where it would be lost without a word.
        os.dup2(os.open(os.devnull, os.O_RDONLY), 1)
        sys.stdout = os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")
    if isinstance(sys.stdout, TextIOWrapper):
        # In a locale that lacks a character the answer shows "?" for it instead of breaking off.
        sys.stdout.reconfigure(errors="replace")
