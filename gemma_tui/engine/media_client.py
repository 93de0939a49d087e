"""What `EngineClient` asks about files: they are looked into while a reply is generated, too."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeVar

from gemma_tui.engine.media_requests import Crop, Encode, FindClip, Preview, Probe, Unlock
from gemma_tui.generation import MediaInfo, MediaPreview
from gemma_tui.sound_clip import SoundClip

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.engine.protocol import Request

_T = TypeVar("_T")


class MediaClient(ABC):
    """The part of an engine that knows files; its heir carries the requests."""

    async def probe(self, path: Path, name: str) -> MediaInfo:
        """Look into a file, also while a reply is generated; an `AttachmentError` says `name`."""
        return await self._answer(Probe(str(path), name), MediaInfo)

    async def preview(self, path: Path, name: str, *, is_large: bool = False) -> MediaPreview:
        """A picture or a sound in small; raises as `probe`."""
        return await self._answer(Preview(str(path), name, is_large), MediaPreview)

    async def crop(self, request: Crop) -> MediaInfo:
        """Write a part of a picture to a new file; raises as `probe`."""
        return await self._answer(request, MediaInfo)

    async def unlock(self, request: Unlock) -> MediaInfo:
        """Write a copy of a document without its password; raises as `probe`."""
        return await self._answer(request, MediaInfo)

    async def encode(self, request: Encode) -> MediaInfo:
        """Write a medium of a prompt as a file that others read; raises as `probe`."""
        return await self._answer(request, MediaInfo)

    async def find_clip(self, request: FindClip) -> SoundClip:
        """The next clip of a long sound; raises as `probe`."""
        return await self._answer(request, SoundClip)

    @abstractmethod
    async def _answer(self, request: Request, kind: type[_T]) -> _T:
        """The one answer to a request."""
