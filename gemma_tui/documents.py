"""Which pages of a document, or lines of a text, are sent: those that fit, or that were named.

How a page is drawn is the business of the engine; a page is one picture of the prompt.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import UsageError
from gemma_tui.frame_choice import choose_frames
from gemma_tui.preprocessing.budget import TOKEN_BUDGETS, audio_tokens, image_tokens
from gemma_tui.preprocessing.frame_times import MAX_FRAMES, is_video
from gemma_tui.preprocessing.media_cost import soft_token_count
from gemma_tui.preprocessing.picture_cost import picture_tokens
from gemma_tui.preprocessing.sound_cost import clip_lengths, with_range
from gemma_tui.sanitize import sanitize_line
from gemma_tui.selection import describe_selection, labelled_count, parse_selection, selected
from gemma_tui.storage.texts import read_text
from gemma_tui.text_fit import CHARACTERS_PER_TOKEN, fit_text, text_length
from gemma_tui.text_parts import is_partial, parts_of
from gemma_tui.time_range import parse_time_range
from gemma_tui.videos import notes_on, with_frames

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gemma_tui.conversation import Attachment, Segment
    from gemma_tui.engine.interface import Engine
    from gemma_tui.generation import ModelInfo
    from gemma_tui.preprocessing.budget import TokenBudget
    from gemma_tui.storage.blobs import BlobStore

PAGE_BUDGET: Final = TOKEN_BUDGETS[-1]
"""Soft tokens of a page unless the user says otherwise: small print needs the most there are."""

MAX_FIRST_PAGES: Final = 100
"""As many are attached unasked where the context is large; naming pages attaches more."""

_UNKNOWN_CONTEXT: Final = 20
"""Pages that are attached unasked while no model is loaded."""

LEFT_OUT_ADVICE: Final = "/range chooses others."
"""What is said behind the note that not all of a file is attached."""

_STAMP_TOKENS: Final = 7
"""Of a time in front of a frame: `mm:ss` is five, two blanks may be two more."""

_SHARE: Final = (3, 4)
"""Of the context that is left: what pages may fill unasked. The rest is for question and answer."""


class Documents:
    """Chooses pages.

    Args:
        blobs: Where the bytes of documents are.
        engine: Looks into them, and has the context that they must fit.
    """

    def __init__(self, blobs: BlobStore, engine: Engine) -> None:
        self._blobs = blobs
        self._engine = engine

    async def first_parts(
        self, attachment: Attachment, token_budget: TokenBudget | None, used_tokens: int
    ) -> Attachment:
        """As much of a document, or of a text, as fits; of a document that has all its pages.

        Args:
            attachment: A document or a text.
            token_budget: As of `first_pages`.
            used_tokens: Of the context, by what is there already.

        Raises:
            StorageError: The stored copy of a text is gone.
        """
        if attachment.kind != "text":
            return self.first_pages(attachment, token_budget, used_tokens)
        room = _room(self._engine.state.model, used_tokens)
        return await fit_text(attachment, room, self._engine, self._blobs.path_of)

    def first_pages(
        self, document: Attachment, token_budget: TokenBudget | None, used_tokens: int
    ) -> Attachment:
        """A document with as many of its first pages as fit, one at least.

        Args:
            document: With all of its pages.
            token_budget: Of a page; None, like `auto`, is the largest that leaves room for one.
            used_tokens: Of the context, by what is there already.
        """
        model = self._engine.state.model
        room = _room(model, used_tokens)
        pages = document.segments
        budget = _budget(pages[0], token_budget, model, room)
        first = pages[: MAX_FIRST_PAGES if room is not None else _UNKNOWN_CONTEXT]
        costs = accumulate(image_tokens(page.width, page.height, budget) for page in first)
        count = sum(room is None or total <= room for total in costs)
        return replace(document, token_budget=budget, segments=pages[: max(1, count)])

    def first_frames(
        self, video: Attachment, per_second: float, used_tokens: int = 0
    ) -> Attachment:
        """A video with so many frames a second, or with as many as fit; others stay as they are.

        Args:
            video: With the clips of its sound that are sent.
            per_second: How many frames are wanted.
            used_tokens: Of the context, by what is there already.
        """
        model = self._engine.state.model
        room = _room(model, used_tokens)
        if model is None or room is None or not is_video(video):
            return with_frames(video, per_second)
        sound = sum(map(audio_tokens, clip_lengths(video))) if model.can_hear else 0
        frame = image_tokens(video.width, video.height, video.token_budget) + _STAMP_TOKENS
        return with_frames(video, per_second, min(MAX_FRAMES, max(1, (room - sound) // frame)))

    async def fit(
        self, document: Attachment, token_budget: TokenBudget | None, used_tokens: int
    ) -> Attachment:
        """A document or a text as `first_parts` makes it, now that the context is known.

        Raises:
            AttachmentError: The document cannot be read any more.
            EngineError: Nobody could look into it.
            StorageError: The stored copy of a text is gone.
        """
        if document.kind != "text":
            document = replace(document, segments=await self._pages(document))
        return await self.first_parts(document, token_budget, used_tokens)

    async def choose(self, document: Attachment, selection: str) -> Attachment:
        """A document with the pages that `1-5, 8` names, or a sound with the part `10:00-12:30`.

        Of a text, these lines, rows or items; of a video, `choose_frames`.

        Raises:
            UsageError: It names nothing that is there, or the attachment has no parts.
            AttachmentError: The document cannot be read any more.
            EngineError: Nobody could look into it.
            StorageError: The stored copy of a text is gone.
        """
        if document.kind == "text":
            return await asyncio.to_thread(self._choose_lines, document, selection)
        if document.kind == "audio":
            total = document.sample_count
            return with_range(document, *parse_time_range(selection, total))
        if is_video(document):
            return await choose_frames(document, selection, self._engine, self._blobs.path_of)
        if not is_document(document):
            raise not_divisible(document)
        pages = await self._pages(document)
        chosen = selected(parse_selection(selection, len(pages), "page"))
        return replace(document, segments=tuple(pages[index] for index in chosen))

    def video_note(self, attachment: Attachment, per_second: float = 1.0) -> str:
        """As `videos.notes_on`, of a video that was attached; empty for anything else."""
        is_one = is_video(attachment)
        return notes_on(attachment, self._engine.state.model, per_second) if is_one else ""

    def _choose_lines(self, attachment: Attachment, selection: str) -> Attachment:
        text = read_text(attachment, self._blobs.path_of)
        parts = parts_of(attachment.name, text)
        runs = parse_selection(selection, max(1, parts.count), parts.unit)
        is_whole = len(selected(runs)) >= parts.count
        segments = parts.whole(len(text)) if is_whole else parts.segments(runs)
        return replace(attachment, segments=segments)

    async def _pages(self, document: Attachment) -> tuple[Segment, ...]:
        """All of them."""
        path = self._blobs.path_of(document.sha256)
        return (await self._engine.probe(path, document.name)).segments


def is_document(attachment: Attachment) -> bool:
    """Whether its pictures are pages."""
    return page_count(attachment) > 0


def is_divisible(attachment: Attachment) -> bool:
    """Whether parts of it can be sent."""
    return attachment.kind == "text" or is_document(attachment)


def page_count(attachment: Attachment) -> int:
    """How many pages a document has, sent or not; 0 for what is no document."""
    pages = attachment.segments
    return labelled_count(pages[0].label) if pages and pages[0].kind == "image" else 0


def pages_in_words(attachment: Attachment) -> str:
    """Which pages of a document are sent: `12 pages`, `pages 1-5, 8 of 12`."""
    count, chosen = page_count(attachment), [page.start for page in attachment.segments]
    if len(chosen) == count:
        return "1 page" if count == 1 else f"{count:,} pages"
    word = "page" if len(chosen) == 1 else "pages"
    return f"{word} {describe_selection(chosen)} of {count:,}"


def left_out_note(attachment: Attachment, advice: str = LEFT_OUT_ADVICE) -> str:
    """What to say of a file that was attached in part; empty if all of it was."""
    if attachment.kind == "text":
        label = attachment.segments[0].label if attachment.segments else ""
        name = sanitize_line(attachment.name)
        return f"“{name}” is long: {label} are attached. {advice}" if is_partial(label) else ""
    count, kept = page_count(attachment), len(attachment.segments)
    if kept >= count:
        return ""
    these = "the first page is" if kept == 1 else f"the first {kept} are"
    return (
        f"“{sanitize_line(attachment.name)}” has {count:,} pages: {these} attached"
        f" ({picture_tokens(attachment):,} tokens). {advice}"
    )


def estimated_tokens(attachments: Iterable[Attachment]) -> int:
    """Tokens of attachments together: exact for media; for texts by their length, as for prose."""
    return sum(
        text_length(item) // CHARACTERS_PER_TOKEN if item.kind == "text" else soft_token_count(item)
        for item in attachments
    )


def not_divisible(attachment: Attachment) -> UsageError:
    """The sentence for an attachment that is sent as a whole."""
    return UsageError(
        f"“{sanitize_line(attachment.name)}” has no parts to choose from.",
        "Pages of a PDF, lines of a text, a part of a sound and frames of a video can be chosen.",
    )


def _page_budget(model: ModelInfo | None) -> int:
    """The demo knows small pictures only."""
    return model.default_token_budget if model is not None and model.is_demo else PAGE_BUDGET


def _room(model: ModelInfo | None, used_tokens: int) -> int | None:
    """Soft tokens that pages may fill; None while that is unknown."""
    if model is None:
        return None
    part, whole = _SHARE
    return max(0, model.context_length - used_tokens) * part // whole


def _budget(
    page: Segment, wanted: TokenBudget | None, model: ModelInfo | None, room: int | None
) -> int:
    if isinstance(wanted, int):
        return wanted
    most = _page_budget(model)
    fitting = (
        budget
        for budget in reversed(TOKEN_BUDGETS)
        if budget <= most
        and (room is None or image_tokens(page.width, page.height, budget) <= room)
    )
    return next(fitting, TOKEN_BUDGETS[0])
