"""How soon a typed key is seen, and Esc obeyed: `python -m tests.bench.typing [keys [messages]]`.

By hand, on an idle machine. The real program in a pty, in a conversation of so many messages (500),
beside an engine process that writes 100 tokens a second: once one that does nothing else, as where
a model runs on a GPU, and once the built-in model, which takes the processor as well. Some seven
keys a second are typed at times that nothing else depends on; taken is the time until the bytes
were written that show the key.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import TextPart
from gemma_tui.paths import builtin_model
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.open_tabs import OpenTabs, OpenTabsFile
from tests.bench.interface.program import ENGINE
from tests.bench.interface.recording import record
from tests.tui.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.conversation import Role

PAUSE_SECONDS: Final = (0.08, 0.2)
"""Between two keys: a quick typist, not in step with anything."""

SETTLE_SECONDS: Final = 1.0
WORDS: Final = "the transcript never stutters while a model works at full speed and somebody types "
CLEAR_LINE: Final = "\x15"
STOPS: Final = 15
SIZE: Final = (100, 30)
ENGINES: Final = {
    "engine without a model": "tests.bench.interface.paced_worker",
    "built-in model": "tests.bench.interface.throttled_worker",
}


def endless_model(folder: Path) -> Path:
    """A copy of the built-in model that never stops by itself, and remembers twice as much."""
    model = folder / "model"
    shutil.copytree(builtin_model(), model)
    path = model / "config.json"
    config = json.loads(path.read_text())
    config["text_config"]["max_position_embeddings"] = 16_384
    path.write_text(json.dumps(config))
    path = model / "generation_config.json"
    config = json.loads(path.read_text())
    # Hot, or it would say the same over and over and be stopped for that.
    hot = {"temperature": 3.0, "top_k": 0, "top_p": 1.0}
    tokens = json.loads((model / "tokenizer.json").read_text())["added_tokens"]
    endless = {"eos_token_id": [0], "suppress_tokens": [token["id"] for token in tokens]}
    path.write_text(json.dumps({**config, **hot, **endless}))
    return model


async def converse(home: Path, count: int) -> None:
    """Store a conversation of so many messages, to be open at the next start."""
    database = await Database.open(home / "data" / "conversations.db")
    store = ConversationStore(database)
    conversation, last = await store.create("long"), None
    for number in range(count):
        role: Role = "model" if number % 2 else "user"
        text = str(number % 10)
        last = await store.add_message(
            conversation.id, last.id if last else None, role, (TextPart(text),)
        )
    await OpenTabsFile(home / "data" / "tabs.json").save(OpenTabs((conversation.id,), 0))
    await database.close()


def open_program(home: Path, model: Path, engine: str, **environ: str) -> Terminal:
    """The program, ready, with one of the `ENGINES`."""
    terminal = Terminal(
        [sys.executable, "-m", "tests.bench.interface.program", "--model", str(model)],
        home=home,
        size=SIZE,
        environ={
            ENGINE: engine,
            **environ,
        },
    )
    terminal.shows("● ready")
    return terminal


def written(terminal: Terminal) -> str:
    """What the composer says, without spaces: a line ends anywhere."""
    rows = terminal.text.splitlines()
    top = max((y for y, row in enumerate(rows) if "╭" in row), default=0)
    inside = (row.rpartition("│")[0].rpartition("│")[2] for row in rows[top + 1 : -2])
    return "".join("".join(inside).split())


def measure(terminal: Terminal, keys: int) -> tuple[list[float], float]:
    """Seconds from each of `keys` keys to its picture; the share of a processor the app used."""
    chosen, typed = random.Random(1), (WORDS * (1 + keys * 2 // len(WORDS)))[: keys + keys // 4]
    pauses = [(chosen.uniform(*PAUSE_SECONDS), key) for key in typed]
    recording = record(terminal, pauses, SETTLE_SECONDS)
    stands = [typed[: n + 1].replace(" ", "") for n in range(len(typed))]
    conditions = [partial(_begins, terminal, text) for text in stands]
    taken = recording.times(terminal, conditions)
    # A space cannot be seen.
    visible = [seconds for seconds, key in zip(taken, typed, strict=True) if key != " "]
    return visible[:keys], recording.share


def _begins(terminal: Terminal, text: str) -> bool:
    return written(terminal).startswith(text)


def stop(terminal: Terminal) -> tuple[float, float]:
    """Seconds from Esc until the status line says so, and until there is nothing to stop."""
    wait = random.uniform(0.3, 0.6)
    recording = record(terminal, [(wait, "\x1b")], SETTLE_SECONDS)
    since = [moment for moment, _ in recording.typed] * 2
    shown = [lambda: "◆ writing" not in terminal.text, lambda: "◆" not in terminal.text]
    answered, stopped = recording.times(terminal, shown, since)
    return answered, stopped


def p95(values: Sequence[float]) -> float:
    """The value that one in twenty exceeds."""
    return sorted(values)[max(0, round(0.95 * len(values)) - 1)]


def report(name: str, taken: Sequence[float], share: float | None = None) -> None:
    """One line of figures in milliseconds, and the share of a processor that the app used."""
    middle, worst = statistics.median(taken), max(taken)
    sys.stdout.write(
        f"{name:<46} p50 {1000 * middle:5.1f} ms, p95 {1000 * p95(taken):5.1f} ms,"
        f" worst {1000 * worst:5.1f} ms (n={len(taken)})"
        f"{'' if share is None else f', {100 * share:.0f} % CPU'}\n"
    )


def run(name: str, keys: int, messages: int) -> None:
    """Measure beside one of the `ENGINES`: idle, while it writes, and stopping it."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        if messages:
            asyncio.run(converse(home, messages))
        terminal = open_program(home, endless_model(Path(folder)), ENGINES[name])
        taken, share = measure(terminal, keys)
        report(f"key to screen, {name}, idle", taken, share)
        terminal.type(CLEAR_LINE * 9 + "talk\r")
        terminal.shows("◆ writing")
        taken, share = measure(terminal, keys)
        report(f"key to screen, {name}, writing", taken, share)
        assert "◆ writing" in terminal.text, "the reply ended before the measurement did"
        sys.stdout.write(f"{terminal.text.splitlines()[-1].strip()}\n")
        stops = [stop(terminal)]
        for _ in range(STOPS - 1):
            terminal.type(CLEAR_LINE * 9 + "talk\r")
            terminal.shows("◆ writing")
            stops.append(stop(terminal))
        answered, stopped = zip(*stops, strict=True)
        report(f"Esc to an answer, {name}", answered)
        report(f"Esc to stopped, {name}", stopped)
        terminal.type("\x11")
        terminal.wait()
        terminal.close()


def main(keys: int = 200, messages: int = 500) -> None:
    """Run and print."""
    for name in ENGINES:
        run(name, keys, messages)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
