"""What `gemma-tui history` does to files and conversations: export, import, delete, restore."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gemma_tui.cli.history_output import output_refused, print_lines
from gemma_tui.cli.output import Progress
from gemma_tui.errors import UsageError
from gemma_tui.exchange.exchange import form_of_ending
from gemma_tui.exchange.json_export import to_line
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.cli.history_place import HistoryPlace
    from gemma_tui.exchange.exporter import ExportFormat
    from gemma_tui.exchange.found import Report

_OUTPUT = Path("-")


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported where."""

    conversation_id: int | None
    is_all: bool
    form: ExportFormat
    path: Path
    """`-` is the standard output."""
    overwrite: bool


def chosen_form(form: ExportFormat | None, path: Path) -> ExportFormat:
    """The format that was asked for, else the one that the path's ending says, else Markdown."""
    return form or form_of_ending(path) or "md"


def check_folder(wanted: Export) -> None:
    """Refuse a name that means one file, where each conversation becomes a file of its own.

    Raises:
        UsageError: It is such a name.
    """
    is_folder = os.path.isdir(wanted.path)  # noqa: PTH112  # it never raises
    if wanted.form == "json" or is_folder or form_of_ending(wanted.path) is None:
        return
    raise UsageError(
        f"“{wanted.path.name}” is one file, but all conversations as {wanted.form} are a file each"
        " in a folder.",
        f"Name a folder and add --format {wanted.form}, or a file that ends with .json.",
    )


async def run_export(place: HistoryPlace, wanted: Export) -> None:
    """Export; prints the path of what was written.

    Raises:
        UsageError: Neither a conversation nor all of them, or Markdown to a pipe.
        ExchangeError: The place is taken, or cannot be written.
    """
    if (wanted.conversation_id is None) != wanted.is_all:
        raise UsageError("Name one conversation, or say --all.")
    if wanted.conversation_id is not None:
        await place.existing(wanted.conversation_id)
        ids: Sequence[int] = (wanted.conversation_id,)
    else:
        ids = await place.trees.ids()
    if wanted.path == _OUTPUT:
        await _to_output(place, ids, wanted)
    elif wanted.is_all:
        await place.exporter.export_all(ids, wanted.form, wanted.path, overwrite=wanted.overwrite)
        print_lines([str(wanted.path)])
    else:
        path = await place.exporter.export_conversation(
            ids[0], wanted.form, wanted.path, overwrite=wanted.overwrite
        )
        print_lines([str(path)])


async def _to_output(place: HistoryPlace, ids: Sequence[int], wanted: Export) -> None:
    if wanted.form == "md":
        raise UsageError(
            "Markdown has its media beside it, so it cannot go to the output.",
            "Use --format json or html, or name a file.",
        )
    if wanted.form == "html" and len(ids) != 1:
        raise UsageError("Several pages cannot go to the output.", "Name a folder.")
    async for piece in place.exporter.pieces(ids, wanted.form):
        try:
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise output_refused(error) from error


async def run_import(place: HistoryPlace, path: Path, *, as_json: bool, copies: bool) -> None:
    """Import; says what was imported on stdout, and what was not on stderr.

    Args:
        place: Where conversations go.
        path: The file.
        as_json: Print one JSON object instead of a sentence.
        copies: Import what is here already once more.

    Raises:
        ExchangeError: The file cannot be imported.
    """
    progress = Progress(sys.stderr)
    loop = asyncio.get_running_loop()

    def show(fraction: float) -> None:
        loop.call_soon_threadsafe(progress.show, f"importing, {fraction:.0%}")

    try:
        report = await place.importer.import_file(path, show, copies=copies)
    finally:
        await asyncio.sleep(0)  # what the reading thread told last is shown before the line goes
        progress.clear()
    for sentence in report.sentences:
        progress.tell(sentence)
    if report.skipped > len(report.sentences):
        progress.tell(f"{report.skipped - len(report.sentences)} more were left out.")
    if report.present:
        progress.tell("What is here already is imported once more with --copies.")
    print_lines([_as_json(report) if as_json else _as_sentence(report)])


def _as_sentence(report: Report) -> str:
    counts = [
        _count(report.conversations, "conversation"),
        _count(report.messages, "message"),
        _count(report.attachments, "attachment"),
    ]
    left = f", {report.skipped} left out" if report.skipped else ""
    return f"Imported from {report.format_name}: {', '.join(counts)}{left}."


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _as_json(report: Report) -> str:
    return to_line(
        {
            "format": report.format_name,
            "conversations": report.conversations,
            "messages": report.messages,
            "attachments": report.attachments,
            "left_out": report.skipped,
            "ids": list(report.ids),
        }
    )


async def run_delete(place: HistoryPlace, conversation_id: int, *, is_sure: bool) -> None:
    """Delete after asking, and say how to undo it.

    Raises:
        UsageError: There is no such conversation, or nobody to ask.
    """
    conversation = await place.existing(conversation_id)
    title = sanitize_line(conversation.title)
    if not is_sure:
        if not sys.stdin.isatty():
            raise UsageError("Nobody is there to be asked.", "Say --yes to delete.")
        sys.stderr.write(f"Delete conversation {conversation_id}, “{title}”? [y/N] ")
        sys.stderr.flush()
        answer = await asyncio.to_thread(sys.stdin.readline)
        if answer.strip().lower() not in {"y", "yes"}:
            print_lines(["Nothing was deleted."])
            return
    await place.store.delete(conversation_id)
    print_lines(
        [
            f"Deleted conversation {conversation_id}, “{title}”. Until the app is started the "
            f"next time, gemma-tui history restore {conversation_id} brings it back."
        ]
    )


async def run_restore(place: HistoryPlace, conversation_id: int) -> None:
    """Bring a deleted conversation back.

    Raises:
        UsageError: There is none of this id.
    """
    conversation = await place.existing(conversation_id, deleted=True)
    await place.store.restore(conversation_id)
    print_lines([f"Restored “{sanitize_line(conversation.title)}”."])
