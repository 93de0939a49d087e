"""`Importer`: conversations out of a file into the store, all that is in it or nothing.

Takes what a reader finds step by step. Each conversation is stored where nobody sees it, and the
last step shows them all. Attachments go through the blob store and are looked into again: what a
file says of them is not believed.
"""

from __future__ import annotations

import asyncio
import tempfile
from codecs import getincrementaldecoder
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from gemma_tui.conversation import Attachment, AttachmentPart, Segment, TextPart
from gemma_tui.errors import AttachmentError, DamagedExportError, GemmaError
from gemma_tui.exchange.already_here import AlreadyHere
from gemma_tui.exchange.detection import open_source
from gemma_tui.exchange.found import MediaFile, Report, Skipped
from gemma_tui.exchange.json_export import attachments_of
from gemma_tui.generation import MediaInfo
from gemma_tui.preprocessing.budget import MAX_CLIP_SAMPLES, MIN_CLIP_SAMPLES
from gemma_tui.storage.faults import storage_faults
from gemma_tui.storage.trees import Tree

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from gemma_tui.conversation import Message, Part
    from gemma_tui.exchange.found import Found, Source
    from gemma_tui.storage.blobs import BlobStore
    from gemma_tui.storage.trees import TreeStore

_CHUNK_BYTES = 1 << 20
_MAX_PICTURES = 20
"""Pages of a document that are sent where a file does not say which."""

Probe: TypeAlias = "Callable[[Path, str], Awaitable[MediaInfo]]"
"""Looks into a file and says what it is; `Engine.probe`."""

DEFAULT_TOKEN_BUDGET = 280
"""Soft tokens of a picture whose file does not say it (Gemma 4's own default)."""


class Importer:
    """Reads files of conversations into a store.

    Args:
        trees: Where conversations go.
        blobs: Where the bytes of attachments go.
        probe: Finds out what they are.
    """

    def __init__(self, trees: TreeStore, blobs: BlobStore, probe: Probe) -> None:
        self._trees = trees
        self._blobs = blobs
        self._probe = probe

    async def import_file(
        self,
        path: Path,
        progress: Callable[[float], None] = lambda _: None,
        *,
        copies: bool = False,
    ) -> Report:
        """Import everything in a file, or nothing.

        Args:
            path: Our JSON, an export of ChatGPT (JSON or zip), or a database of oterm.
            progress: Told how far the file is read, 0 to 1.
            copies: Import conversations of our JSON that are here already once more.

        Returns:
            What was imported, and what was left out and why.

        Raises:
            ExchangeError: The file cannot be read, or is not what it should be.
            StorageError: The conversations cannot be stored.
            EngineError: Nobody could look into an attachment.
        """
        with storage_faults(Path(tempfile.gettempdir()) / "gemma-tui"):
            folder = tempfile.TemporaryDirectory(prefix="gemma-tui-")
        with folder as scratch, open_source(path, Path(scratch), progress) as source:
            known = {} if copies or not source.is_own else await self._trees.ids_by_creation()
            here = AlreadyHere(self._trees, known)
            run = _Run(self._trees, self._blobs, self._probe, source, here)
            try:
                await run.take_all()
                await self._trees.reveal(run.in_order())
            except BaseException:
                await asyncio.shield(run.undo())
                raise
            return run.report


class _Run:
    """One import while it goes on."""

    def __init__(
        self,
        trees: TreeStore,
        blobs: BlobStore,
        probe: Probe,
        source: Source,
        here: AlreadyHere,
    ) -> None:
        self.report = Report(source.format_name)
        self._here = here
        self._trees = trees
        self._blobs = blobs
        self._probe = probe
        self._source = source
        self._times: list[float] = []
        self._known: dict[str, Attachment | str] = {}
        """By key: what the bytes are, or why they are no attachment."""
        self._new_blobs: set[str] = set()

    async def take_all(self) -> None:
        """Store everything that is found, hidden."""
        while (found := await _next(self._source.found)) is not None:
            match found:
                case MediaFile():
                    await self._take_media(found)
                case Skipped(sentence):
                    self.report.leave_out(sentence)
                case Tree():
                    await self._take_tree(found)

    def in_order(self) -> list[int]:
        """The new conversations as they shall follow each other in the list."""
        if self._source.is_sorted:
            return self.report.ids
        pairs = sorted(zip(self._times, self.report.ids, strict=True))
        return [row_id for _, row_id in pairs]

    async def undo(self) -> None:
        """Remove what was stored."""
        await self._trees.discard(self.report.ids)
        for sha256 in self._new_blobs:
            with suppress(OSError):
                await self._blobs.discard(sha256)

    async def _look_for(self, sha256: str, name: str) -> None:
        """Find out what an attachment is whose bytes are not in the file."""
        path = self._blobs.path_of(sha256)
        if not await asyncio.to_thread(path.is_file):
            self._known[sha256] = "its bytes are not in the file."
            return
        try:
            info = await self._looked_into(path, name, may_be_text=True)
        except AttachmentError as error:
            self._known[sha256] = error.message
            return
        size = (await asyncio.to_thread(path.stat)).st_size
        self._known[sha256] = _attachment(sha256, name, size, info)

    async def _looked_into(self, path: Path, name: str, *, may_be_text: bool) -> MediaInfo:
        try:
            return await self._probe(path, name)
        except AttachmentError:
            if may_be_text and await asyncio.to_thread(_is_text, path):
                return MediaInfo("text", "text/plain")
            raise

    async def _take_media(self, found: MediaFile) -> None:
        blob = await self._blobs.add_file(found.path)
        if blob.is_new:
            self._new_blobs.add(blob.sha256)
        if found.is_own and found.key not in (blob.sha256, blob.source_sha256):
            raise DamagedExportError(
                f"An attachment was changed since it was exported ({found.key[:12]}…).",
                "Export it again.",
            )
        path = self._blobs.path_of(blob.sha256)
        try:
            info = await self._looked_into(path, found.name, may_be_text=found.is_own)
        except AttachmentError as error:
            self._known[found.key] = error.message
            await self._forget(blob.sha256)
            return
        self._known[found.key] = _attachment(blob.sha256, found.name, blob.size_bytes, info)

    async def _forget(self, sha256: str) -> None:
        if sha256 in self._new_blobs:
            self._new_blobs.discard(sha256)
            await self._blobs.discard(sha256)

    async def _take_tree(self, tree: Tree) -> None:
        for named in attachments_of(tree):
            if named.sha256 not in self._known:
                await self._look_for(named.sha256, named.name)
        messages = tuple(self._with_attachments(message) for message in tree.messages)
        kept = (self._attachment(item) for item in tree.draft.attachments)
        draft = replace(
            tree.draft, attachments=tuple(item for item in kept if isinstance(item, Attachment))
        )
        whole = replace(tree, messages=messages, draft=draft)
        if await self._here.has(whole):
            self.report.leave_out(f"“{tree.conversation.title[:80]}” is here already.")
            self.report.present += 1
            return
        self.report.ids.append(await self._trees.insert_hidden(whole))
        self._times.append(tree.conversation.updated_at)
        self.report.conversations += 1
        self.report.messages += len(messages)
        self.report.attachments += sum(len(message.attachments) for message in messages)

    def _with_attachments(self, message: Message) -> Message:
        if not message.attachments:
            return message
        return replace(message, parts=tuple(self._part(part) for part in message.parts))

    def _part(self, part: Part) -> Part:
        if not isinstance(part, AttachmentPart):
            return part
        found = self._attachment(part.attachment)
        if isinstance(found, Attachment):
            return AttachmentPart(found)
        self.report.leave_out(found)
        return TextPart(f"[{part.attachment.name}: {found}]")

    def _attachment(self, named: Attachment) -> Attachment | str:
        """The attachment as its bytes are; a sentence if they are none."""
        found = self._known[named.sha256]
        if isinstance(found, str):
            return found
        if found.kind == "text":
            if named.kind != "text":
                return f"“{named.name}” is neither a picture nor a sound."
            is_named_text = named.media_type.startswith("text/")
            media_type = named.media_type if is_named_text else found.media_type
            parts = tuple(part for part in named.segments if part.kind == "text")
            return replace(found, name=named.name, media_type=media_type, segments=parts)
        budget = (named.token_budget or DEFAULT_TOKEN_BUDGET) if found.kind == "image" else 0
        known = found.segments[:_MAX_PICTURES] if found.kind == "image" else found.segments
        segments = named.segments if _holds(found, named.segments) else known
        return replace(found, name=named.name, token_budget=budget, segments=segments)


def _attachment(sha256: str, name: str, size_bytes: int, info: MediaInfo) -> Attachment:
    return Attachment(
        sha256=sha256,
        kind=info.kind,
        name=name,
        media_type=info.media_type,
        size_bytes=size_bytes,
        width=info.width,
        height=info.height,
        sample_count=info.sample_count,
        segments=info.segments,
    )


def _holds(found: Attachment, segments: tuple[Segment, ...]) -> bool:
    """Whether there are segments, and the file has all of them."""
    if found.kind == "image":
        return bool(segments) and set(segments) <= set(found.segments)
    return bool(segments) and all(
        found.kind == segment.kind == "audio"
        and MIN_CLIP_SAMPLES <= segment.length <= MAX_CLIP_SAMPLES
        and segment.start + segment.length <= found.sample_count
        for segment in segments
    )


def _is_text(path: Path) -> bool:
    """Whether the bytes are text as this program attaches it: UTF-8 without NUL."""
    decoder = getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                if b"\0" in chunk:
                    return False
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except (OSError, UnicodeDecodeError):
        return False
    return True


async def _next(found: Iterator[Found]) -> Found | None:
    """The next step, on another thread; its end is awaited even if nobody wants it any more."""
    step = asyncio.ensure_future(asyncio.to_thread(next, found, None))
    try:
        return await asyncio.shield(step)
    except asyncio.CancelledError:
        with suppress(GemmaError):
            await step
        raise
