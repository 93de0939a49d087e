"""Locked documents: refused without their password, and copied without it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gemma_tui.errors import LockedDocumentError, UnsupportedFormatError
from gemma_tui.preprocessing.pdf import describe_document, page_pixels
from gemma_tui.preprocessing.probe import probe
from gemma_tui.preprocessing.unlocking import unlock
from tests.preprocessing import documents
from tests.preprocessing.locked_documents import locked

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("pypdfium2", reason="the extra gemma-tui[pdf] is not installed")

PASSWORD, OWNER = "geheim, sehr", "of the owner"
DRAWINGS = [documents.words("one"), documents.words("two")]


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "letter.pdf"
    path.write_bytes(locked(DRAWINGS, PASSWORD, OWNER))
    return path


def test_it_is_refused_without_a_password(letter: Path) -> None:
    with pytest.raises(LockedDocumentError, match=r"“letter\.pdf” is locked with a password"):
        probe(letter, "letter.pdf")


@pytest.mark.parametrize("password", [PASSWORD, OWNER])
def test_the_copy_needs_no_password_and_looks_the_same(
    letter: Path, tmp_path: Path, password: str
) -> None:
    target = tmp_path / "copy"
    info = unlock(letter, "letter.pdf", password, target)
    assert info == probe(target, "letter.pdf")
    content = target.read_bytes()
    assert b"/Encrypt" not in content
    assert password.encode() not in content
    assert target.stat().st_mode & 0o777 == 0o600
    plain = io.BytesIO(documents.pdf(DRAWINGS))
    assert info == describe_document(plain, "letter.pdf")
    for index in range(2):
        drawn = page_pixels(io.BytesIO(content), "letter.pdf", index, 280)
        expected = page_pixels(plain, "letter.pdf", index, 280)
        assert np.array_equal(drawn, expected)
        assert drawn.min() < 128  # something is written there


@pytest.mark.parametrize("password", ["", "Geheim, sehr", "\0", "🔑" * 500])
def test_a_wrong_password_is_told_from_none(letter: Path, tmp_path: Path, password: str) -> None:
    with pytest.raises(LockedDocumentError, match=r"does not open “letter\.pdf”"):
        unlock(letter, "letter.pdf", password, tmp_path / "copy")


def test_what_is_no_document_has_no_password(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"only text")
    with pytest.raises(UnsupportedFormatError, match="not a PDF"):
        unlock(path, "a.pdf", PASSWORD, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_lock_that_no_password_opens_is_another_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    lock = b"<</Filter/Adobe.PubSec /SubFilter/adbe.pkcs7.s4 /V 2>>"
    objects = [*documents.page_objects(DRAWINGS), lock]
    trailer = b"/Root 1 0 R /Encrypt %d 0 R /ID[<00><00>]" % len(objects)
    path.write_bytes(documents.assemble(objects, trailer))
    with pytest.raises(UnsupportedFormatError, match="protected in a way"):
        probe(path, "a.pdf")
