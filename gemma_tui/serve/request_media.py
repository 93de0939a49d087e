"""Pictures and sounds of one request, as files the engine reads, gone when it is answered."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gemma_tui.errors import ApiRequestError, AttachmentError
from gemma_tui.generation import Media
from gemma_tui.serve.messages import InlineMedia
from gemma_tui.sounds import find_clips
from gemma_tui.storage.faults import storage_faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gemma_tui.engine.interface import Engine
    from gemma_tui.generation import MediaInfo, PromptPart
    from gemma_tui.serve.messages import ServedPart


class RequestMedia:
    """Writes media to a folder and finds out what they are.

    Args:
        folder: Nobody else reads it.
        engine: Looks into files.
        usual_budget: Token budget of a picture where the request says nothing.
    """

    def __init__(self, folder: Path, engine: Engine, usual_budget: int) -> None:
        self._folder = folder
        self._engine = engine
        self._usual_budget = usual_budget

    async def prompt_parts(self, parts: tuple[ServedPart, ...]) -> tuple[PromptPart, ...]:
        """The parts as the engine takes them; a sound longer than a clip becomes several.

        Raises:
            ApiRequestError: A file is not what it is said to be, or cannot be read.
            StorageError: It cannot be written.
            EngineError: Nobody could look into it.
        """
        found: list[PromptPart] = []
        for part in parts:
            if isinstance(part, InlineMedia):
                found += await self._media(part)
            else:
                found.append(part)
        return tuple(found)

    async def _media(self, item: InlineMedia) -> list[Media]:
        sha256 = hashlib.sha256(item.data).hexdigest()
        path = self._folder / sha256
        with storage_faults(path):
            await asyncio.to_thread(path.write_bytes, item.data)
        try:
            info = await self._engine.probe(path, item.name)
            _check_kind(item, info)
            whole = self._whole(item, info, sha256, path)
            if item.kind == "image":
                return [whole]
            clips = [clip async for clip in find_clips(self._engine, path, item.name)]
        except AttachmentError as error:
            raise ApiRequestError(error.message, error.hint, parameter=item.name) from error
        if len(clips) == 1:  # as it is known in other conversations
            return [whole]
        return [
            replace(whole, sample_count=c.length, start=c.start, length=c.length) for c in clips
        ]

    def _whole(self, item: InlineMedia, info: MediaInfo, sha256: str, path: Path) -> Media:
        budget = item.token_budget or self._usual_budget
        return Media(
            kind=item.kind,
            sha256=sha256,
            path=str(path),
            name=item.name,
            token_budget=budget if item.kind == "image" else 0,
            width=info.width,
            height=info.height,
            sample_count=info.sample_count,
        )


def _check_kind(item: InlineMedia, info: MediaInfo) -> None:
    problem = ""
    if info.kind != item.kind:
        problem = f"It is {info.media_type}."
    elif info.segments:
        problem = "It holds several pictures: send them one by one."
    if problem:
        what = "picture" if item.kind == "image" else "sound"
        message = f"“{item.name}” is no single {what}. {problem}"
        raise ApiRequestError(message, parameter=item.name)


@asynccontextmanager
async def request_media(engine: Engine, usual_budget: int) -> AsyncIterator[RequestMedia]:
    """The media of one request; their files are there as long as this context.

    Raises:
        StorageError: There is no place for them.
    """
    with storage_faults(Path(tempfile.gettempdir()) / "gemma-tui"):
        folder = tempfile.TemporaryDirectory(prefix="gemma-tui-serve-", ignore_cleanup_errors=True)
    with folder as name:
        yield RequestMedia(Path(name), engine, usual_budget)
