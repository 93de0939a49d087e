"""Runs `gemma-tui` again and again in processes of its own, without importing everything each time.

Reads a line of JSON for each run: the arguments, and at which change of the file system the run is
to kill itself (0: never). Prints the process id, then its exit status once it has ended. A process
of its own, because what is forked must not have threads.
"""

from __future__ import annotations

import json
import os
import signal
import sys

_CHANGES = {
    "os.mkdir",
    "os.rename",
    "os.symlink",
    "os.link",
    "os.remove",
    "os.rmdir",
    "os.truncate",
}


def main() -> None:
    """Serve until standard input ends."""
    import gemma_tui.cli.main
    import gemma_tui.cli.models_pull
    import gemma_tui.hub.download

    for line in sys.stdin:
        order = json.loads(line)
        process = os.fork()
        if not process:
            if order["kill_at"]:
                sys.addaudithook(_killer(order["kill_at"]))
            gemma_tui.cli.main.main(order["arguments"])
        print(process, flush=True)  # noqa: T201
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


def _killer(number: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
    seen = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        is_write = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT
        if event in _CHANGES or is_write:
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


if __name__ == "__main__":
    main()
