"""`gemma-tui ask`: one turn without the screen, through the same `Chat.reply` as the app.

Wires what a turn needs and shows its events. Without `--save` the conversation lives in memory and
copies of attachments in a temporary folder that is removed.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from contextlib import AsyncExitStack, aclosing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gemma_tui.chat import Chat
from gemma_tui.cli.ask_attachments import (
    attach_files,
    notes_on_attachments,
    settled_attachments,
)
from gemma_tui.cli.closed_output import require_output
from gemma_tui.cli.engine_place import engine_of
from gemma_tui.cli.output import Answer, Progress, to_json
from gemma_tui.cli.signals import until_signalled
from gemma_tui.conversation import Draft
from gemma_tui.engine.process import open_log
from gemma_tui.errors import GemmaError
from gemma_tui.generation import (
    Finished,
    MediaProgress,
    PrefillProgress,
    TextDelta,
    ThoughtDelta,
    TurnsLeftOut,
)
from gemma_tui.options import GenerationOptions
from gemma_tui.preprocessing.budget import check_budget
from gemma_tui.storage.blobs import BlobStore
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.faults import storage_faults
from gemma_tui.turn import TurnStarted, left_out_sentence, reading_label

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from gemma_tui.cli.question import Question
    from gemma_tui.conversation import Message
    from gemma_tui.engine.interface import EngineState
    from gemma_tui.paths import Paths
    from gemma_tui.turn import TurnEvent


def run_ask(question: Question, model: Path, paths: Paths, *, as_json: bool, save: bool) -> int:
    """Answer on stdout; returns the exit code.

    Args:
        question: What was typed; a pipe may add to it.
        model: The model folder.
        paths: Where the conversation goes if it is saved, and the engine's log.
        as_json: Print one JSON object at the end instead of streaming the text.
        save: Keep the conversation.

    Raises:
        GemmaError: Whatever kept the question from being answered.
        KeyboardInterrupt: Ctrl-C; what was answered so far is printed.
    """
    require_output(sys.stdout)
    if isinstance(question.token_budget, int):
        check_budget(question.token_budget)
    with _scratch_folder() as scratch:
        whole = question.with_pipe(_pipe(), scratch)
        place = paths if save else replace(paths, data=scratch)
        asking = _Asking(whole, model, place, as_json=as_json, save=save)
        return asyncio.run(until_signalled(_ask(asking)))


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    with storage_faults(Path(tempfile.gettempdir()) / "gemma-tui"):
        folder = tempfile.TemporaryDirectory(prefix="gemma-tui-")
    with folder as name:
        yield Path(name)


def _pipe() -> BinaryIO | None:
    """The standard input if it is no terminal; None is also a closed one."""
    return None if sys.stdin is None or sys.stdin.isatty() else sys.stdin.buffer


@dataclass(frozen=True, slots=True)
class _Asking:
    """Everything one run needs to know."""

    question: Question
    model: Path
    paths: Paths
    as_json: bool
    save: bool


async def _ask(asking: _Asking) -> None:
    progress = Progress(sys.stderr)
    async with AsyncExitStack() as stack:
        stack.callback(progress.clear)
        database = await Database.open(asking.paths.database if asking.save else None)
        stack.push_async_callback(database.close)
        cache = asking.paths.engine_cache if asking.save else None
        log = log_path(asking.paths)
        engine = engine_of(asking.paths, log, cache)
        stack.push_async_callback(engine.close)
        engine.watch(lambda state: show_state(progress, state))
        store = ConversationStore(database)
        chat = Chat(store, BlobStore(asking.paths.blobs), engine)
        info, attachments = await asyncio.gather(
            engine.load(asking.model), attach_files(chat, asking.question, progress)
        )
        for sentence in info.limitations:
            progress.tell(sentence)
        settled = await settled_attachments(chat, attachments, asking.question, info)
        for note in notes_on_attachments(chat, settled, asking.question):
            progress.tell(note)
        draft = Draft(asking.question.prompt, settled)
        conversation = await store.create("", asking.question.system_prompt)
        turn = chat.reply(conversation.id, draft, parent_id=None, options=asking.question.options)
        answer = Answer(sys.stdout, progress)
        has_failed = False
        try:
            async with aclosing(turn) as events:
                async for event in events:
                    _show(event, answer, progress, as_json=asking.as_json)
        except GemmaError:
            has_failed = True
            raise
        finally:
            messages = await store.messages(conversation.id)
            if not messages:  # refused or stopped before the question was stored
                await store.delete(conversation.id)
            elif asking.as_json and not has_failed:
                answer.write(_as_json(messages, asking))
            answer.end()
            if messages and _is_cut_short(messages[-1], asking.question.options):
                progress.tell("The answer was cut off: it is as long as it may be (--max-tokens).")


def _is_cut_short(reply: Message, options: GenerationOptions) -> bool:
    """Whether its length ended a reply although no length was asked for, or before its answer."""
    is_asked_for = options.max_tokens != GenerationOptions().max_tokens
    return reply.finish_reason == "length" and not (is_asked_for and reply.text)


def _as_json(messages: tuple[Message, ...], asking: _Asking) -> str:
    question, reply = messages
    return to_json(question, reply, saved=asking.save)


def log_path(paths: Paths) -> Path:
    """Where the engine logs; beside the data if the usual place cannot be written."""
    log = paths.engine_log
    try:
        os.close(open_log(log))
    except OSError:
        return paths.data / log.name
    return log


def _show(event: TurnEvent, answer: Answer, progress: Progress, *, as_json: bool) -> None:
    match event:
        case TextDelta(text) if not as_json:
            answer.write(text)
        case TextDelta():
            progress.show(f"answering, {event.token_count} tokens")
        case ThoughtDelta():
            progress.show("thinking")
        case MediaProgress(done, total):
            progress.show(f"looking at the attachments, {done} of {total}")
        case PrefillProgress():
            progress.show(reading_label(event))
        case TurnsLeftOut():
            progress.tell(left_out_sentence(event))
        case Finished(reason="repetition"):
            progress.tell("The answer said the same over and over, so it was cut off.")
        case TurnStarted():
            progress.show("starting the answer")
        case _:
            pass


def show_state(progress: Progress, state: EngineState) -> None:
    """Say that the engine starts, or how far the model is loaded."""
    match state.phase:
        case "loading" if state.server:
            progress.show(f"asking {state.server}")
        case "starting":
            progress.show("starting the engine")
        case "loading":
            progress.show(f"loading the model, {state.fraction:.0%}")
        case _:
            pass
