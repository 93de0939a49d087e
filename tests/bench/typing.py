"""How soon a typed key is seen, and Esc obeyed: `python -m tests.bench.typing [keys [messages]]`.

By hand, on an idle machine. The built-in model is copied without its stop tokens, so that it goes
on talking at full speed; keys are typed into the real program in a pty, at ten a second, in a
conversation that has so many messages (500).
"""

from __future__ import annotations

import asyncio
import json
import shutil
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gemma_tui.conversation import TextPart
from gemma_tui.paths import builtin_model
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.open_tabs import OpenTabs, OpenTabsFile
from tests.bench.startup import cpu_seconds
from tests.tui.terminal import Terminal

if TYPE_CHECKING:
    from gemma_tui.conversation import Role

PAUSE_SECONDS = 0.1
LETTERS = "abcdefghijklmnopqrstuvwxyz"
CLEAR_LINE = "\x15"
STOPS = 9


def endless_model(folder: Path) -> Path:
    """A copy of the built-in model that never stops by itself."""
    model = folder / "model"
    shutil.copytree(builtin_model(), model)
    path = model / "generation_config.json"
    config = json.loads(path.read_text())
    # Hot, or it would say the same over and over and be stopped for that.
    hot = {"temperature": 3.0, "top_k": 0, "top_p": 1.0}
    tokens = json.loads((model / "tokenizer.json").read_text())["added_tokens"]
    ends = [token["id"] for token in tokens if token["content"] == "<|tool_response>"]
    endless = {"eos_token_id": [0], "suppress_tokens": [0, *ends]}
    path.write_text(json.dumps({**config, **hot, **endless}))
    return model


async def converse(home: Path, count: int) -> None:
    """Store a conversation of so many short messages, to be open at the next start."""
    database = await Database.open(home / "data" / "conversations.db")
    store = ConversationStore(database)
    conversation, last = await store.create("long"), None
    for number in range(count):
        role: Role = "model" if number % 2 else "user"
        last = await store.add_message(
            conversation.id, last.id if last else None, role, (TextPart(f"{number} is a number"),)
        )
    await OpenTabsFile(home / "data" / "tabs.json").save(OpenTabs((conversation.id,), 0))
    await database.close()


def stop(terminal: Terminal) -> float:
    """Seconds from Esc until the status line has nothing to stop any more."""
    begun = time.monotonic()
    terminal.type("\x1b")
    terminal.until(lambda: "◆" not in terminal.screen.display[-1])
    return time.monotonic() - begun


def seen(terminal: Terminal, text: str) -> bool:
    """Whether `text` stands in the composer, on the rows above the status line."""
    return any(text in line for line in terminal.screen.display[-6:])


def measure(terminal: Terminal, keys: int) -> list[float]:
    """Seconds from each of `keys` keys to its picture on the screen."""
    taken = []
    for index in range(keys):
        before = "<" + LETTERS[: 1 + index % len(LETTERS)]
        if len(before) == 2:
            terminal.type(CLEAR_LINE + "<")
            terminal.until(lambda: seen(terminal, "< "))
        begun = time.monotonic()
        terminal.type(before[-1])
        terminal.until(partial(seen, terminal, before))
        taken.append(time.monotonic() - begun)
        while time.monotonic() < begun + PAUSE_SECONDS:
            terminal.read(0.01)
    return taken


def report(name: str, taken: list[float]) -> None:
    """One line of figures in milliseconds."""
    ordered = sorted(taken)
    p95 = ordered[max(0, round(0.95 * len(ordered)) - 1)]
    middle, worst = statistics.median(ordered), ordered[-1]
    sys.stdout.write(
        f"{name:<22} p50 {1000 * middle:.1f} ms, p95 {1000 * p95:.1f} ms,"
        f" worst {1000 * worst:.1f} ms (n={len(ordered)})\n"
    )


def main() -> None:
    """Run and print: idle, then while decoding."""
    keys = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    messages = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        if messages:
            asyncio.run(converse(home, messages))
        terminal = Terminal.app(home, endless_model(Path(folder)))
        terminal.shows("● ready")
        before = cpu_seconds(terminal.child.pid)
        report("engine idle", measure(terminal, keys))
        cost = (cpu_seconds(terminal.child.pid) - before) / keys
        sys.stdout.write(f"CPU of the app a key    {1000 * cost:.1f} ms\n")
        stops = []
        for number in range(STOPS):
            terminal.type(CLEAR_LINE + "talk\r")
            terminal.shows("◆ writing")
            if number == 0:
                report("engine at full speed", measure(terminal, keys))
                assert "◆ writing" in terminal.text, "the reply ended before the measurement did"
                sys.stdout.write(terminal.text.splitlines()[-1].strip() + "\n")
            stops.append(stop(terminal))
        report("Esc to stopped", stops)
        terminal.type("\x11")
        terminal.wait()
        terminal.close()


if __name__ == "__main__":
    main()
