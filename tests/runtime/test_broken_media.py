"""Broken files of every format end in an answer or a sentence. `tests.bench.broken_media` tries more."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gemma_tui.runtime.decoder_process import DecoderLimits
from gemma_tui.runtime.decoders import Decoders
from gemma_tui.storage.blobs import BlobStore
from tests.runtime.broken_media import KINDS, attach, broken, whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    started = Decoders(logging.getLogger("tests.broken"), DecoderLimits(seconds=20.0))
    yield started
    started.close()


@pytest.mark.parametrize("kind", KINDS)
def test_broken_files_end_in_an_answer_or_a_sentence(
    kind: str, decoders: Decoders, tmp_path: Path
) -> None:
    blobs = BlobStore(tmp_path / "blobs")
    assert attach(whole(kind), tmp_path / "it", blobs, decoders) == "read"
    ends = set()

    @settings(
        max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(st.data())
    def try_some(data: st.DataObject) -> None:
        ends.add(attach(data.draw(broken(kind)), tmp_path / "it", blobs, decoders))

    try_some()
    assert ends <= {"read", "DamagedFileError", "UnsupportedFormatError", "LimitError"}
    assert len(decoders.process_ids) <= 1
