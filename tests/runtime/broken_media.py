"""Pictures and sounds of every format with something wrong in them, and what becomes of them."""

from __future__ import annotations

import asyncio
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from gemma_tui.errors import AttachmentError
from gemma_tui.generation import Media
from tests.golden import preprocessing_inputs as pictures
from tests.metadata.pictures import FORMATS, placed
from tests.preprocessing import documents
from tests.preprocessing.sounds import COMPRESSED, PLAIN, encoded, tone

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.runtime.decoders import Decoders
    from gemma_tui.storage.blobs import BlobStore

_EXTRA = ("PDF",) if find_spec("pypdfium2") else ()  # what reads it is not everywhere
KINDS = (
    *FORMATS,
    "BMP",
    *_EXTRA,
    *(f"{muxer} {encoder}" for muxer, encoder, *_ in COMPRESSED + PLAIN),
)


@cache
def whole(kind: str) -> bytes:
    """A file that is right."""
    for muxer, encoder, rate, _ in COMPRESSED + PLAIN:
        if kind == f"{muxer} {encoder}":
            return encoded(tone(0.3, rate), muxer, encoder, rate)
    if kind == "PDF":
        return documents.picture_page(pictures.picture("RGB", 24, 24))
    return placed(kind)


@st.composite
def broken(draw: st.DrawFn, kind: str) -> bytes:
    """A file with a few bytes changed, most of them near the start, some moved, or its end gone."""
    data = bytearray(whole(kind))
    start = draw(st.sampled_from((0, 12, 12, 12)))  # the first bytes say what it is
    for _ in range(draw(st.integers(1, 12))):
        reach = draw(st.sampled_from((64, 512, len(data))))
        at = draw(st.integers(start, min(reach, len(data)) - 1))
        data[at] = draw(st.sampled_from((0, 1, 0x7F, 0x80, 0xFF, data[at] ^ 1, data[at] ^ 0x40)))
    if draw(st.booleans()):
        at, length = draw(st.integers(start, len(data) - 1)), draw(st.integers(1, 64))
        data[at:at] = data[draw(st.integers(0, len(data) - 1)) :][:length]
    return bytes(data[: draw(st.sampled_from((len(data), len(data), len(data) // 2, 40)))])


def attach(data: bytes, path: Path, blobs: BlobStore, decoders: Decoders) -> str:
    """Take a file the way of every attachment, up to its features; how that ended.

    Returns:
        `read`, or the name of the error that says what is wrong with it.
    """
    path.write_bytes(data)
    try:
        stored = asyncio.run(blobs.add_file(path)).sha256
        place = blobs.path_of(stored)
        info = decoders.probe(place, "it")
        if info.kind != "text":
            decoders.preview(place, "it")
            budget = 70 if info.kind == "image" else 0
            decoders.features(Media(info.kind, stored, str(place), "it", token_budget=budget))
    except AttachmentError as error:
        return type(error).__name__ if error.message.startswith("“it”") else str(error)
    return "read"
