"""Pictures and sounds for a server: written by the engine process, read here as text.

This process decodes nothing. What was sent once is remembered within bounds, as every turn sends
all media of a conversation again.
"""

from __future__ import annotations

import asyncio
import base64
import tempfile
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from gemma_tui.engine.media_requests import Encode
from gemma_tui.engine.remote_request import EncodedMedium
from gemma_tui.generation import media_key

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gemma_tui.generation import Media, MediaInfo, MediaKey

MAX_KEPT_CHARACTERS: Final = 64 * 1024 * 1024
"""Of base64: sixty photographs, or fifty clips of 30 s."""


class MediaEncoder(Protocol):
    """Whatever writes media as files."""

    async def encode(self, request: Encode) -> MediaInfo:
        """Write a medium as a file; raises an `AttachmentError` if it cannot be read."""


class RemoteMedia:
    """Media as they are sent, by what they are.

    Args:
        encoder: The engine process.
        image_tokens: The most soft tokens the server gives a picture.
    """

    def __init__(self, encoder: MediaEncoder, image_tokens: int) -> None:
        self._encoder = encoder
        self._image_tokens = image_tokens
        self._kept: OrderedDict[MediaKey, EncodedMedium] = OrderedDict()

    async def encode_all(self, media: tuple[Media, ...]) -> AsyncGenerator[tuple[int, int], None]:
        """Have everything ready for `found`; yields how many are done, and of how many.

        Raises:
            AttachmentError: A file cannot be used.
            EngineError: Nobody could read it.
        """
        wanted = {media_key(item): item for item in media}
        for done, (key, item) in enumerate(wanted.items()):
            yield done, len(wanted)
            if key not in self._kept:
                self._kept[key] = await self._encode(item)
            self._kept.move_to_end(key)
        if wanted:
            yield len(wanted), len(wanted)
        self._make_room(len(wanted))

    @property
    def found(self) -> dict[MediaKey, EncodedMedium]:
        """What is ready."""
        return dict(self._kept)

    async def _encode(self, item: Media) -> EncodedMedium:
        if item.kind == "image":
            item = replace(item, token_budget=min(item.token_budget, self._image_tokens))
        with tempfile.TemporaryDirectory(prefix="gemma-tui-") as folder:
            target = Path(folder) / "medium"
            info = await self._encoder.encode(Encode(item, str(target)))
            data = await asyncio.to_thread(_as_text, target)
        return EncodedMedium(info.media_type, data)

    def _make_room(self, newest: int) -> None:
        """Forget the longest unused, but nothing that the next request needs."""
        size = sum(len(medium.base64) for medium in self._kept.values())
        while size > MAX_KEPT_CHARACTERS and len(self._kept) > newest:
            _, medium = self._kept.popitem(last=False)
            size -= len(medium.base64)


def _as_text(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")
