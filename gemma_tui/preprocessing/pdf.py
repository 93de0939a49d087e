"""Pages of a PDF: how many there are and of what size, and each as a picture.

A page is drawn at the very size that the network takes, so a poster costs no more memory than a
postcard. Forms and notes are drawn as they stand; scripts are never run (PDFium without V8).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from gemma_tui.conversation import Segment
from gemma_tui.errors import (
    DamagedFileError,
    LimitError,
    LockedDocumentError,
    UnsupportedFormatError,
)
from gemma_tui.generation import MediaInfo
from gemma_tui.preprocessing.budget import TOKEN_BUDGETS, image_size
from gemma_tui.preprocessing.source import decoding
from gemma_tui.selection import page_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

MEDIA_TYPE: Final = "application/pdf"

MAX_PAGES: Final = 10_000
"""Their sizes are told in one answer; more than the largest context holds of anything readable."""

PIXELS_PER_POINT: Final = 2
"""Of the size that a page is said to have: 144 pixels an inch. It is drawn at another one."""

_MAX_SIDE: Final = 100_000
"""Pixels; a page may say that it is as large as it likes."""

_INSTALL: Final = "Install it with: pip install 'gemma-tui[pdf]' - or export the pages as PNG."


def describe_document(file: BinaryIO, name: str) -> MediaInfo:
    """What is to be known of a PDF: its pages, all of them, in order.

    Args:
        file: An open PDF.
        name: What error messages call it.

    Raises:
        UnsupportedFormatError: What reads PDF is not installed.
        LockedDocumentError: It needs a password.
        DamagedFileError: It is broken, or has no pages.
        LimitError: It has more than `MAX_PAGES` pages.
    """
    with opened_document(file, name) as document:
        count = len(document)
        if count == 0:
            raise DamagedFileError(f"“{name}” has no pages.", "Export it anew.")
        if count > MAX_PAGES:
            raise LimitError(
                f"“{name}” has {count:,} pages, and at most {MAX_PAGES:,} can be read.",
                "Save the pages that matter as a PDF of their own.",
            )
        sizes = [_pixel_size(document, index) for index in range(count)]
        # Sizes are found without reading what is drawn: one page is drawn, as every other one is.
        _draw(document, 0, image_size(*sizes[0], TOKEN_BUDGETS[0]))
    pages = tuple(
        Segment("image", index, width=width, height=height, label=page_label(index, count))
        for index, (width, height) in enumerate(sizes)
    )
    return MediaInfo(
        kind="image",
        media_type=MEDIA_TYPE,
        width=sizes[0][0],
        height=sizes[0][1],
        suggested_budget=TOKEN_BUDGETS[-1],
        suggestion="pages",
        segments=pages,
    )


def page_pixels(file: BinaryIO, name: str, index: int, budget: int) -> NDArray[np.uint8]:
    """A page as the network takes it; what `cut_patches` takes.

    Args:
        file: An open PDF.
        name: What error messages call it.
        index: Of the page, from 0.
        budget: The most soft tokens it may cost, one of `TOKEN_BUDGETS`.

    Returns:
        [height, width, 3] red, green, blue on white; both sides are multiples of 48.

    Raises:
        AttachmentError: As `describe_document` says, or there is no such page.
        BudgetError: `budget` is not one of the budgets.
    """
    with opened_document(file, name) as document:
        if not 0 <= index < len(document):
            message = f"“{name}” has no page {index + 1}: it has {len(document)}."
            raise DamagedFileError(message, "Attach it again.")
        return _draw(document, index, image_size(*_pixel_size(document, index), budget))


@contextmanager
def opened_document(file: BinaryIO, name: str, password: str | None = None) -> Iterator[Any]:
    """A document of PDFium, closed at the end; raises as `describe_document`."""
    try:
        import pypdfium2  # noqa: PLC0415  # an extra
    except ImportError:
        message = f"“{name}” is a PDF document, and what reads those is not installed."
        raise UnsupportedFormatError(message, _INSTALL) from None
    with decoding(name):
        try:
            document = pypdfium2.PdfDocument(file, password)
        except pypdfium2.PdfiumError as error:
            if error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD:
                raise _locked(name, is_wrong=password is not None) from None
            if error.err_code == pypdfium2.raw.FPDF_ERR_SECURITY:
                message = f"“{name}” is protected in a way that this program cannot undo."
                hint = "Print it into a new PDF in the program that opens it, and attach that."
                raise UnsupportedFormatError(message, hint) from None
            raise
        try:
            document.init_forms()
            yield document
        finally:
            document.close()


def _locked(name: str, *, is_wrong: bool) -> LockedDocumentError:
    if is_wrong:
        return LockedDocumentError(f"That password does not open “{name}”.", "Type it again.")
    return LockedDocumentError(
        f"“{name}” is locked with a password.", "Attach it again, and type the password."
    )


def _pixel_size(document: Any, index: int) -> tuple[int, int]:  # noqa: ANN401  # of PDFium
    """Width and height of a page in pixels, turned as it is shown."""
    width, height = (
        min(max(1, round(side * PIXELS_PER_POINT)), _MAX_SIDE)
        for side in document.get_page_size(index)
    )
    return width, height


def _draw(document: Any, index: int, size: tuple[int, int]) -> NDArray[np.uint8]:  # noqa: ANN401
    """[height, width, 3] a page, drawn at exactly this size."""
    from pypdfium2 import PdfBitmap, raw  # noqa: PLC0415  # an extra

    page = document.get_page(index)
    bitmap = PdfBitmap.new_native(*size, raw.FPDFBitmap_BGR)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, *size)
        flags = raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER
        raw.FPDF_RenderPageBitmap(bitmap, page, 0, 0, *size, 0, flags)
        if document.formenv:  # what was filled in
            raw.FPDF_FFLDraw(document.formenv, bitmap, page, 0, 0, *size, 0, flags)
        pixels: NDArray[np.uint8] = bitmap.to_numpy().copy()
    finally:
        bitmap.close()
        page.close()
    return pixels
