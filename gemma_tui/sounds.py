"""What can be done with a sound that is longer than a clip: have it split, clip by clip.

Whether anything is decoded, and where, is the engine's business.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from gemma_tui.conversation import AttachmentPart, Segment
from gemma_tui.engine.media_requests import FindClip
from gemma_tui.errors import ContextOverflowError
from gemma_tui.preprocessing.sound_cost import (
    clock,
    is_unsplit,
    likely_clips,
    sound_range,
    sound_tokens,
    sound_tokens_words,
)
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from gemma_tui.conversation import Attachment, Draft, Message
    from gemma_tui.engine.interface import Engine
    from gemma_tui.sound_clip import SoundClip
    from gemma_tui.storage.blobs import BlobStore

_Key: TypeAlias = tuple[str, int, int]

_REMEMBERED: Final = 64
"""Sounds whose clips are kept, the latest ones: they come back with every turn."""


class Sounds:
    """Knows where sounds were split since the start.

    Args:
        blobs: Where their bytes are.
        engine: Finds the clips.
    """

    def __init__(self, blobs: BlobStore, engine: Engine) -> None:
        self._blobs = blobs
        self._engine = engine
        self._known: OrderedDict[_Key, tuple[Segment, ...]] = OrderedDict()

    def path_of(self, sound: Attachment) -> Path:
        """Where the bytes of a sound are."""
        return self._blobs.path_of(sound.sha256)

    def has(self, sha256: str) -> bool:
        """Whether the bytes of a sound are still there; asks the disk."""
        return self._blobs.path_of(sha256).is_file()

    async def split(self, sound: Attachment) -> Attachment:
        """A sound with the clips that are sent of it; anything else as it is.

        Raises:
            ContextOverflowError: So much sound fits no context of the loaded model.
            AttachmentError: It is cut off, or cannot be read.
            EngineError: Nobody could look into it.
        """
        if not is_unsplit(sound):
            return sound
        self._check_length(sound)
        start, stop = sound_range(sound)
        key = (sound.sha256, start, stop if sound.segments else 0)
        if key not in self._known:
            path = self.path_of(sound)
            found = [clip async for clip in find_clips(self._engine, path, sound.name, *key[1:])]
            self._known[key] = tuple(Segment("audio", clip.start, clip.length) for clip in found)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return replace(sound, segments=self._known[key])

    async def split_turn(
        self, branch: Iterable[Message], draft: Draft | None = None
    ) -> tuple[tuple[Message, ...], Draft | None]:
        """Messages (as after an import) and a draft with the clips of their sounds.

        Raises:
            GemmaError: As `split`.
        """
        if draft is not None and any(map(is_unsplit, draft.attachments)):
            draft = replace(
                draft, attachments=tuple([await self.split(a) for a in draft.attachments])
            )
        return tuple([await self._split_message(message) for message in branch]), draft

    async def _split_message(self, message: Message) -> Message:
        if not any(map(is_unsplit, message.attachments)):
            return message
        parts = [
            AttachmentPart(await self.split(part.attachment))
            if isinstance(part, AttachmentPart)
            else part
            for part in message.parts
        ]
        return replace(message, parts=tuple(parts))

    def _check_length(self, sound: Attachment) -> None:
        """Refuse at once what would take minutes to find out."""
        model = self._engine.state.model
        if model is None or sound_tokens(sound) <= model.context_length:
            return
        start, stop = sound_range(sound)
        raise ContextOverflowError(
            f"“{sanitize_line(sound.name)}” lasts {clock(stop - start)},"
            f" {sound_tokens_words(sound)}; the context of {model.name} holds"
            f" {model.context_length:,}.",
            "Transcribe it, or ask about a part of it: /transcribe, /range 10:00-12:30.",
        )


def with_likely_clips(draft: Draft) -> Draft:
    """A draft whose long sounds are cut into clips of the usual length: enough to be counted."""
    if not any(map(is_unsplit, draft.attachments)):
        return draft
    return replace(draft, attachments=tuple(map(likely_clips, draft.attachments)))


async def find_clips(
    engine: Engine, path: Path, name: str, start: int = 0, stop: int = 0
) -> AsyncIterator[SoundClip]:
    """The clips of a sound, one after the other, each found when it is asked for.

    Args:
        engine: Finds them.
        path: The file.
        name: What error messages call it.
        start: Sample at 16 kHz to begin with.
        stop: Where to end; 0: at the end of the file.

    Raises:
        AttachmentError: It is cut off, or cannot be read.
        EngineError: Nobody could look into it.
    """
    while True:
        clip = await engine.find_clip(FindClip(str(path), name, start, stop))
        yield clip
        if clip.is_last:
            return
        start = clip.next_start
