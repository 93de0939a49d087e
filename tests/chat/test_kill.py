"""kill -9 in the middle of an answer: nothing that was flushed is lost, nothing is damaged."""

from __future__ import annotations

import json
import sqlite3
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING

from gemma_tui.conversation import MessageState
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from tests.chat.kill_trials import WORDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from gemma_tui.paths import Paths

TRIALS = 50


async def test_fifty_kills_cost_no_flushed_text_and_no_damage(
    paths: Paths, record_testsuite_property: Callable[[str, object], None]
) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.chat.kill_trials",
        str(paths.database),
        str(TRIALS),
        "7",
    ]
    run = subprocess.run(  # noqa: ASYNC221
        command, capture_output=True, text=True, check=True
    )
    trials = {trial["title"]: trial for trial in map(json.loads, run.stdout.splitlines())}
    assert len(trials) == TRIALS
    assert {trial["signal"] for trial in trials.values()} == {9}

    database = await Database.open(paths.database)
    store = ConversationStore(database)
    assert await store.mark_interrupted() == TRIALS
    conversations = await store.list()
    assert {c.title for c in conversations} == set(trials)
    losses = []
    for conversation in conversations:
        question, reply = await store.messages(conversation.id)
        trial = trials[conversation.title]
        assert question.text == "go"
        assert reply.state is MessageState.INTERRUPTED
        assert reply.text == WORDS[: len(reply.text)]
        assert len(reply.text) >= trial["flushed"]
        lost = [when for when, length in trial["handed_out"] if length > len(reply.text)]
        losses.append(trial["killed_at"] - lost[0] if lost else 0.0)
    await database.close()

    connection = sqlite3.connect(paths.database)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    # Figures for a reader; how long text waits depends on the machine, so nothing is asserted.
    record_testsuite_property("lost text, ms, median", round(1000 * statistics.median(losses), 1))
    record_testsuite_property("lost text, ms, most", round(1000 * max(losses), 1))
