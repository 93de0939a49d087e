"""What can be done with an attached picture: find the budget that suits it, cut a part out.

Whether anything is decoded, and where, is the engine's business.
"""

from __future__ import annotations

import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import Attachment
from gemma_tui.engine.media_requests import Crop
from gemma_tui.preprocessing.budget import TOKEN_BUDGETS, affordable_budget
from gemma_tui.preprocessing.frame_times import FRAME_BUDGET, is_video
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gemma_tui.engine.interface import Engine
    from gemma_tui.generation import MediaInfo
    from gemma_tui.region import Region
    from gemma_tui.storage.blobs import BlobStore, StoredBlob

_SHARE: Final = 4
"""One picture gets a quarter of the context that is left, unless the user gives it more."""


@dataclass(frozen=True, slots=True)
class AutoBudget:
    """A token budget that was chosen for a picture."""

    budget: int
    reason: str
    """In two or three words."""


class Pictures:
    """Knows what was found out about pictures since the start.

    Args:
        blobs: Where their bytes are.
        engine: Looks into them.
    """

    def __init__(self, blobs: BlobStore, engine: Engine) -> None:
        self._blobs = blobs
        self._engine = engine
        self._known: dict[str, MediaInfo] = {}

    def learn(self, sha256: str, info: MediaInfo) -> None:
        """Remember what a file is."""
        self._known[sha256] = info

    def path_of(self, attachment: Attachment) -> Path:
        """Where the bytes of an attachment are, or would be; nobody may change them."""
        return self._blobs.path_of(attachment.sha256)

    async def auto_budget(self, picture: Attachment, used_tokens: int = 0) -> AutoBudget:
        """The budget that suits a picture and what is left of the context.

        Args:
            picture: A picture.
            used_tokens: Of the context, by the conversation so far.

        Raises:
            AttachmentError: It cannot be read any more.
            EngineError: Nobody could look into it.
        """
        info = self._known.get(picture.sha256)
        if info is None:
            path = self._blobs.path_of(picture.sha256)
            info = await self._engine.probe(path, picture.name)
            self.learn(picture.sha256, info)
        model = self._engine.state.model
        if model is None:
            return AutoBudget(info.suggested_budget, info.suggestion)
        # All pages of a document together get three quarters, as when it is attached.
        count = len(picture.segments)
        left = max(0, model.context_length - used_tokens)
        room = left * (_SHARE - 1) // _SHARE // count if count else left // _SHARE
        budget = affordable_budget(info.width, info.height, info.suggested_budget, room)
        is_less = budget < info.suggested_budget
        return AutoBudget(budget, "little context left" if is_less else info.suggestion)

    async def with_auto_budget(self, item: Attachment, used_tokens: int = 0) -> Attachment:
        """An attachment with the budget that suits it; what is no picture stays as it is."""
        if item.kind != "image" or is_video(item):
            return item
        chosen = await self.auto_budget(item, used_tokens)
        return replace(item, token_budget=chosen.budget)

    @asynccontextmanager
    async def part(self, picture: Attachment, region: Region) -> AsyncIterator[Path]:
        """A part of a picture as a file that is there as long as this context.

        Raises:
            AttachmentError: It cannot be read any more.
            EngineError: Nobody could cut it.
        """
        name = sanitize_line(picture.name)
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / _part_name(name, region)
            source = self._blobs.path_of(picture.sha256)
            await self._engine.crop(Crop(str(source), name, region.parts, str(target)))
            yield target


def attachment_of(blob: StoredBlob, info: MediaInfo, name: str, token_budget: int) -> Attachment:
    """A stored file as an attachment; only a picture has a budget, and that of a frame is small."""
    found = Attachment(
        sha256=blob.sha256,
        kind=info.kind,
        name=name,
        media_type=info.media_type,
        size_bytes=blob.size_bytes,
        width=info.width,
        height=info.height,
        sample_count=info.sample_count,
        token_budget=token_budget if info.kind == "image" else 0,
        segments=info.segments,
    )
    return replace(found, token_budget=FRAME_BUDGET) if is_video(found) else found


def _part_name(name: str, region: Region) -> str:
    stem = Path(name.replace("/", " ")).stem.encode()[:180].decode(errors="ignore")
    return f"{region.label} of {stem}.png"


def closer_look(attachments: tuple[Attachment, ...]) -> tuple[Attachment, ...]:
    """The same with every picture at its next larger budget, where there is one."""
    return tuple(
        replace(item, token_budget=_next(item.token_budget)) if item.kind == "image" else item
        for item in attachments
    )


def _next(budget: int) -> int:
    return next((larger for larger in TOKEN_BUDGETS if larger > budget), TOKEN_BUDGETS[-1])
