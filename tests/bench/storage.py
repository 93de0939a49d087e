"""How quick the store is: `python -m tests.bench.storage [messages]`, by hand, on an idle machine.

Makes a database of the second version with that many messages (100,000), half a year of heavy use,
and one conversation of 2,000 messages; then prints what opening it costs (it is brought to the
newest version and indexed), what the index takes, and as medians what searches and reads take.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gemma_tui.storage import schema
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.schema import MIGRATIONS, migrate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

LONG = 2000
"""Messages of the first conversation."""
USUAL = 30
"""Messages of every other one."""
RUNS = 15


def vocabulary() -> list[str]:
    """Words as unlike each other as those of a language; the first is the most common."""
    return [
        "".join(random.choices("etaoinshrdlucmfw", k=random.randint(2, 10))) for _ in range(40_000)
    ]


def texts(words: list[str], count: int) -> Iterator[str]:
    """Texts of 80 words on average, whose words are as common as Zipf says."""
    weights = list(itertools.accumulate(1 / (rank + 3) for rank in range(len(words))))
    pool = random.choices(words, cum_weights=weights, k=1_000_000)
    for _ in range(count):
        length = max(3, int(random.expovariate(1 / 80)))
        start = random.randrange(len(pool) - length)
        yield " ".join(pool[start : start + length])


def fill(path: Path, words: list[str], count: int) -> None:
    """A database of the second version."""
    path.parent.mkdir()
    connection = sqlite3.connect(path, isolation_level=None)
    newest, schema.MIGRATIONS = schema.MIGRATIONS, MIGRATIONS[:2]  # type: ignore[misc]
    migrate(connection, "x")
    schema.MIGRATIONS = newest  # type: ignore[misc]
    connection.execute("BEGIN")
    conversations = 1 + (count - LONG) // USUAL
    connection.executemany(
        "INSERT INTO conversation (id, title, system_prompt, created_at, updated_at, rank)"
        " VALUES (?, ?, '', 0, 0, ?)",
        ((row, " ".join(random.choices(words, k=5)), row) for row in range(1, conversations + 1)),
    )
    for row_id, text in enumerate(texts(words, count), start=1):
        place = 1 if row_id <= LONG else min(conversations, 2 + (row_id - LONG - 1) // USUAL)
        is_first = row_id == 1 or (row_id > LONG and (row_id - LONG - 1) % USUAL == 0)
        connection.execute(
            "INSERT INTO message (id, conversation_id, parent_id, role, state, writer, created_at)"
            " VALUES (?, ?, ?, ?, 'complete', '', 0)",
            (row_id, place, None if is_first else row_id - 1, "model" if row_id % 2 else "user"),
        )
        connection.execute("INSERT INTO part VALUES (?, 0, 'text', ?, NULL, '', 0)", (row_id, text))
    connection.execute(f"UPDATE conversation SET leaf_id = {LONG} WHERE id = 1")
    connection.execute("COMMIT")
    connection.close()


async def median(use: Callable[[], Awaitable[object]]) -> str:
    """Milliseconds, and those of the processor, which a busy machine does not change."""
    values, computed = [], []
    for _ in range(RUNS):
        begun, worked = time.perf_counter(), time.process_time()
        await use()
        values.append(time.perf_counter() - begun)
        computed.append(time.process_time() - worked)
    passed, cpu = statistics.median(values) * 1000, statistics.median(computed) * 1000
    return f"{passed:.1f} ms ({cpu:.1f} ms CPU)"


def say(name: str, value: str) -> None:
    """A line of the result."""
    sys.stdout.write(f"{name:<44} {value}\n")


async def measure(path: Path, words: list[str]) -> None:
    """Open and use."""
    begun = time.perf_counter()
    database = await Database.open(path)
    say("opened and brought to the newest version", f"{time.perf_counter() - begun:.1f} s")
    sizes = "SELECT name LIKE 'search%' AS is_index, sum(pgsize) / 1e6 FROM dbstat GROUP BY 1"
    rest, index = await database.read(lambda c: [row[1] for row in c.execute(sizes)])
    say("size of everything else, and of the index", f"{rest:.1f} MB, {index:.1f} MB")
    store = ConversationStore(database)
    common, second, rare = words[0], words[1], words[20_000]
    for name, query, place in (
        *(("a common word", f'"{common}"', None), ("a rare word", f'"{rare}"', None)),
        ("a common word, as it is typed", common, None),
        *((f"its first {n} letters", words[5][:n], None) for n in (2, 3)),
        *(("two words", f"{common} {second}", None), ("a phrase", f'"{common} {second}"', None)),
        ("one word without another", f"{common} -{second}", None),
        ("nothing", "qqqqqq", None),
        *(("in one conversation", common, 1), ("in one, two letters", common[:2], 1)),
    ):
        found = await store.search(query, conversation_id=place)
        took = await median(lambda q=query, p=place: store.search(q, conversation_id=p))  # type: ignore[misc]
        say(f"search: {name}", f"{took}, {len(found.hits)} hits")
    page = await store.search(common)
    took = await median(lambda: store.search(common, before=page.next_before))
    say("search: the second page", took)
    say("list of conversations", await median(store.list))
    say(f"messages of {LONG}", await median(lambda: store.messages(1)))
    say(f"siblings of {LONG}", await median(lambda: store.siblings(1)))
    begun = time.perf_counter()
    await store.delete(1)
    await database.close()
    database = await Database.open(path)
    begun = time.perf_counter()
    await ConversationStore(database).purge()
    say(f"removing {LONG} messages for good", f"{time.perf_counter() - begun:.2f} s")
    await database.close()


def main(count: int = 100_000) -> None:
    """Run and print."""
    random.seed(1)
    words = vocabulary()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data" / "conversations.db"
        fill(path, words, count)
        say("messages, size", f"{count}, {path.stat().st_size / 1e6:.1f} MB")
        asyncio.run(measure(path, words))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
