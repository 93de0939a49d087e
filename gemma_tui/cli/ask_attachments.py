"""The files of `ask`: copied while the model is loaded, then fitted to it and to the options."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gemma_tui.documents import estimated_tokens, is_divisible, left_out_note
from gemma_tui.errors import UsageError
from gemma_tui.frontend.folders import described_offer, offer_budget, pictures_in
from gemma_tui.plain.document_password import DocumentPassword
from gemma_tui.plain.hidden_line import can_ask, hidden_line
from gemma_tui.preprocessing.frame_times import is_video
from gemma_tui.videos import parse_rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gemma_tui.chat import Chat
    from gemma_tui.cli.output import Progress
    from gemma_tui.cli.question import Question
    from gemma_tui.conversation import Attachment
    from gemma_tui.generation import ModelInfo


async def attach_files(chat: Chat, question: Question, progress: Progress) -> list[Attachment]:
    """Attach what the question names; of a folder, its pictures, and it is said how many.

    Raises:
        GemmaError: A file cannot be attached.
    """

    async def ask(prompt: str) -> str | None:
        with progress.held():
            return await hidden_line(prompt)

    passwords = DocumentPassword(os.environ, ask if can_ask() else None)
    found: list[Attachment] = []
    for name in question.files:
        for path in await _opened(Path(name), question, progress):
            item = await chat.attach(
                path, token_budget=question.token_budget, ask_password=passwords
            )
            found.append(item)
    return found


async def _opened(path: Path, question: Question, progress: Progress) -> tuple[Path, ...]:
    if not await asyncio.to_thread(path.is_dir):
        return (path,)
    offer = await asyncio.to_thread(pictures_in, path)
    budget = offer_budget(question.token_budget, None)  # the model may not be loaded yet
    progress.tell(f"Attaching {described_offer(offer, budget)}")
    return offer.pictures


async def settled_attachments(
    chat: Chat, attachments: Iterable[Attachment], question: Question, model: ModelInfo
) -> tuple[Attachment, ...]:
    """Attachments as the model and the options want them: files were looked at before it was known.

    Pictures have its default budget, unless the user chose; documents have as many pages as fit,
    videos as many frames.

    Raises:
        UsageError: `--range` without anything that has parts, or it names none.
        GemmaError: A document cannot be read any more.
    """
    found: list[Attachment] = []
    for item in attachments:
        settled = item
        if is_video(item):
            settled = replace(item, token_budget=question.frame_budget or item.token_budget)
            rate, used = parse_rate(question.frame_rate), estimated_tokens(found)
            settled = chat.documents.first_frames(settled, rate, used)
        elif is_divisible(item):
            settled = await chat.documents.fit(item, question.token_budget, estimated_tokens(found))
        elif item.kind == "image" and question.token_budget is None:
            settled = replace(item, token_budget=model.default_token_budget)
        if question.selection and _has_parts(item):
            settled = await chat.documents.choose(settled, question.selection)
        found.append(settled)
    if question.selection and not any(map(_has_parts, found)):
        raise UsageError(
            "--range chooses a part: no document or text is attached, nor a video or a sound."
        )
    return tuple(found)


def notes_on_attachments(
    chat: Chat, settled: Sequence[Attachment], question: Question
) -> Iterator[str]:
    """What the user must know of what is attached: what is left out of it."""
    if not question.selection:
        notes = (left_out_note(item, "--range chooses others.") for item in settled)
        yield from filter(None, notes)
    rate = parse_rate(question.frame_rate)
    for item in settled:
        # Whoever names frames knows how many they are.
        wanted = 0.0 if question.selection else rate
        if note := chat.documents.video_note(item, wanted):
            yield note


def _has_parts(item: Attachment) -> bool:
    return is_divisible(item) or is_video(item) or item.kind == "audio"
