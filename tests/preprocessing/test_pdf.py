"""Pages of a PDF as pictures, and PDFs that are none."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from gemma_tui.conversation import Segment
from gemma_tui.errors import DamagedFileError, GemmaError, LimitError, UnsupportedFormatError
from gemma_tui.preprocessing.budget import TOKEN_BUDGETS, image_size
from gemma_tui.preprocessing.crop import crop
from gemma_tui.preprocessing.formats import format_of
from gemma_tui.preprocessing.image import image_features
from gemma_tui.preprocessing.picture_part import picture_pixels
from gemma_tui.preprocessing.preview import preview
from gemma_tui.preprocessing.probe import probe
from tests.golden import preprocessing_inputs as inputs
from tests.preprocessing import documents

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.generation import MediaInfo

pypdfium2 = pytest.importorskip("pypdfium2", reason="the extra gemma-tui[pdf] is not installed")

BLACK = b"0 0 612 792 re f"


def written(folder: Path, content: bytes) -> Path:
    path = folder / "a.pdf"
    path.write_bytes(content)
    return path


def probed(folder: Path, content: bytes) -> MediaInfo:
    return probe(written(folder, content), "a.pdf")


def test_every_page_is_a_segment(tmp_path: Path) -> None:
    info = probed(tmp_path, documents.pdf([documents.words("one"), documents.words("two")]))
    assert (info.kind, info.media_type) == ("image", "application/pdf")
    assert (info.width, info.height) == (1224, 1584)
    assert info.suggested_budget == TOKEN_BUDGETS[-1]
    assert info.segments == (
        Segment("image", 0, width=1224, height=1584, label="page 1 of 2"),
        Segment("image", 1, width=1224, height=1584, label="page 2 of 2"),
    )


@pytest.mark.parametrize("budget", TOKEN_BUDGETS)
def test_a_page_is_drawn_at_the_size_that_is_counted(tmp_path: Path, budget: int) -> None:
    path = written(tmp_path, documents.pdf([documents.words("word")]))
    pixels = picture_pixels(path, "a.pdf", budget)
    assert pixels.shape == (*reversed(image_size(1224, 1584, budget)), 3)
    assert pixels.dtype == np.uint8
    assert pixels.max() == 255 > pixels.min()


def test_a_picture_on_a_page_is_what_it_is_as_a_file(tmp_path: Path) -> None:
    y, x = np.mgrid[0:480, 0:480]
    waves = [128 + 100 * np.sin(x / 43 + k) * np.cos(y / (51 + 4 * k)) for k in range(3)]
    picture = Image.fromarray(np.stack(waves, axis=-1).astype(np.uint8))
    picture.save(tmp_path / "a.png")
    page = written(tmp_path, documents.picture_page(picture))
    as_file = image_features(tmp_path / "a.png", "a.png", 280).pixel_values * 255
    from_page = picture_pixels(page, "a.pdf", 280)
    as_picture = _pixels_of(as_file, from_page.shape)
    assert np.abs(from_page.astype(float) - as_picture).mean() < 2


def _pixels_of(patches: Any, shape: tuple[int, ...]) -> Any:
    rows, columns = shape[0] // 16, shape[1] // 16
    by_row = patches.reshape(rows, columns, 16, 16, 3).transpose(0, 2, 1, 3, 4)
    return by_row.reshape(shape)


def test_pages_are_told_apart(tmp_path: Path) -> None:
    path = written(tmp_path, documents.pdf([b"", BLACK]))
    assert picture_pixels(path, "a", 70, 0).min() == 255
    assert picture_pixels(path, "a", 70, 1).max() == 0
    with pytest.raises(DamagedFileError, match="no page 3: it has 2"):
        picture_pixels(path, "a", 70, 2)


def test_a_turned_page_is_upright(tmp_path: Path) -> None:
    info = probed(tmp_path, documents.pdf([BLACK], entries=b"/Rotate 90"))
    assert (info.width, info.height) == (1584, 1224)
    pixels = picture_pixels(tmp_path / "a.pdf", "a.pdf", 70)
    assert pixels.shape[0] < pixels.shape[1]


@pytest.mark.parametrize("size", [(200_000, 3), (3, 200_000), (0.5, 0.5), (14_400, 14_400)])
def test_a_page_of_any_size_takes_what_its_budget_takes(
    tmp_path: Path, size: tuple[float, float]
) -> None:
    info = probed(tmp_path, documents.pdf([b"0 0 9999 9999 re f"], size))
    pixels = picture_pixels(tmp_path / "a.pdf", "a.pdf", 1120)
    assert pixels.shape[:2] == tuple(reversed(image_size(info.width, info.height, 1120)))
    assert pixels.size <= 1120 * 48 * 48 * 3


def test_what_is_filled_into_a_form_is_seen(tmp_path: Path) -> None:
    """A field's appearance is drawn by PDFium's forms, not with the page."""
    field = (
        b"<</Type/Annot /Subtype/Widget /FT/Tx /T(a) /F 4 /Rect[100 100 500 700] /V(x) /P 4 0 R"
        b" /AP<</N 7 0 R>>>>"
    )
    entries = b"/Type/XObject /Subtype/Form /BBox[0 0 400 600]"
    appearance = documents.stream(b"0 0 400 600 re f", entries)
    content = documents.pdf([b""], entries=b"/Annots[6 0 R]", more=[field, appearance])
    form = b"<</Type/Catalog /Pages 2 0 R /AcroForm<</Fields[6 0 R]>>>>"
    content = content.replace(b"<</Type/Catalog /Pages 2 0 R>>", form)
    probed(tmp_path, content)
    assert picture_pixels(tmp_path / "a.pdf", "a.pdf", 70).min() == 0


def test_preview_is_the_first_page(tmp_path: Path) -> None:
    shown = preview(written(tmp_path, documents.pdf([BLACK, b""])), "a.pdf")
    assert 0 < shown.width <= 48
    assert 0 < shown.height <= 40
    assert set(shown.rgb) == {"0"}


def test_a_document_is_no_picture_to_cut(tmp_path: Path) -> None:
    path = written(tmp_path, documents.pdf([BLACK]))
    with pytest.raises(UnsupportedFormatError, match="is not a picture"):
        crop(path, "a.pdf", (0, 0, 1, 1), tmp_path / "b.png")
    with pytest.raises(UnsupportedFormatError, match="is a document, not a picture"):
        image_features(path, "a.pdf", 70)


@pytest.mark.parametrize("head", [b"%PDF-1.4\n", b"\n\n  %PDF-2.0\r", b"%PDF-1.7%\xe2"])
def test_a_document_is_known_by_its_beginning(head: bytes) -> None:
    assert format_of(io.BytesIO(head), "a.txt").media_type == "application/pdf"


@pytest.mark.parametrize("text", [b"# reads %PDF-1.4 files\n", b"%PDF, what is it?"])
def test_a_text_about_documents_is_a_text(text: bytes) -> None:
    assert format_of(io.BytesIO(text), "a.pdf").kind == "text"


WHOLE = documents.pdf([documents.words("one")] * 3)


@pytest.mark.parametrize(
    "content",
    [
        WHOLE[:20],
        WHOLE[:9] + bytes(range(256)) * 4,
        b"%PDF-1.7\n%\xe2\xe3\n",
        documents.pdf([]),
        documents.assemble([b"<</Type/Catalog>>"]),
    ],
)
def test_a_broken_document_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DamagedFileError, match=r"“a\.pdf” (is cut off or damaged|has no pages)"):
        probed(tmp_path, content)


def test_five_thousand_pages_are_listed(tmp_path: Path) -> None:
    info = probed(tmp_path, documents.pdf([b""] * 5_000))
    assert len(info.segments) == 5_000
    assert info.segments[-1].label == "page 5000 of 5000"
    assert picture_pixels(tmp_path / "a.pdf", "a.pdf", 70, 4_999).min() == 255


def test_too_many_pages_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gemma_tui.preprocessing.pdf.MAX_PAGES", 2)
    with pytest.raises(LimitError, match="has 3 pages, and at most 2 can be read"):
        probed(tmp_path, WHOLE)


def test_without_the_extra_the_command_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(UnsupportedFormatError) as caught:
        probed(tmp_path, WHOLE)
    assert "pip install 'gemma-tui[pdf]'" in caught.value.hint


def test_damage_anywhere_ends_in_a_sentence_or_a_picture(tmp_path: Path) -> None:
    """One byte in each of 300 places becomes another one."""
    content = documents.picture_page(inputs.picture("RGB", 24, 24))
    outcomes: set[type] = set()
    for place in range(0, len(content), max(1, len(content) // 300)):
        path = written(tmp_path, content[:place] + b"\xa5" + content[place + 1 :])
        try:
            probe(path, "a.pdf")
            picture_pixels(path, "a.pdf", 70)
        except GemmaError as error:
            outcomes.add(type(error))
        else:
            outcomes.add(type(None))
    assert outcomes <= {DamagedFileError, UnsupportedFormatError, LimitError, type(None)}
    assert {DamagedFileError, type(None)} <= outcomes
