"""PDFs for tests, written object by object: pages, pictures on them, what a form holds."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PIL import Image

LETTER = (612, 792)


def assemble(objects: Iterable[bytes], trailer: bytes = b"/Root 1 0 R") -> bytes:
    """A file of numbered objects, the first one being the catalogue."""
    body, places = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(places) + 1
    return (
        body
        + b"xref\n0 %d\n0000000000 65535 f \n" % count
        + table
        + b"trailer\n<</Size %d %s>>\nstartxref\n%d\n%%%%EOF\n" % (count, trailer, len(body))
    )


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<<%s /Length %d>>\nstream\n%s\nendstream" % (entries, len(content), content)


def pdf(
    drawings: Sequence[bytes],
    size: tuple[float, float] = LETTER,
    entries: bytes = b"",
    resources: bytes = b"",
    more: Sequence[bytes] = (),
) -> bytes:
    """A document with one page for each drawing (operators of a content stream).

    `entries` go into every page, `resources` beside the font `/F`; `more` are objects whose numbers
    begin behind the pages' (4 + 2 n).
    """
    return assemble([*page_objects(drawings, size, entries, resources), *more])


def page_objects(
    drawings: Sequence[bytes],
    size: tuple[float, float] = LETTER,
    entries: bytes = b"",
    resources: bytes = b"",
) -> list[bytes]:
    """The objects of `pdf`, without a file around them."""
    count = len(drawings)
    kids = b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(count))
    objects = [
        b"<</Type/Catalog /Pages 2 0 R>>",
        b"<</Type/Pages /Count %d /Kids[%s]>>" % (count, kids),
        b"<</Type/Font /Subtype/Type1 /BaseFont/Helvetica>>",
    ]
    for number, drawing in enumerate(drawings):
        objects.append(
            b"<</Type/Page /Parent 2 0 R /MediaBox[0 0 %g %g] /Contents %d 0 R"
            b" /Resources<</Font<</F 3 0 R>> %s>> %s>>"
            % (*size, 5 + 2 * number, resources, entries)
        )
        objects.append(stream(drawing))
    return objects


def words(text: str, points: int = 48) -> bytes:
    """A drawing: some words in the upper left corner."""
    return b"BT /F %d Tf 36 700 Td (%s) Tj ET" % (points, text.encode("ascii"))


def picture_page(picture: Image.Image, size: tuple[float, float] = (300, 300)) -> bytes:
    """One page that a picture fills."""
    return album(picture, size=size)


def album(*pictures: Image.Image | None, size: tuple[float, float] = (300, 300)) -> bytes:
    """A page for each picture, which fills it; None is an empty page."""
    first = 4 + 2 * len(pictures)
    drawings: list[bytes] = []
    names: list[bytes] = []
    objects: list[bytes] = []
    for picture in pictures:
        if picture is None:
            drawings.append(b"")
            continue
        number = len(objects)
        pixels = zlib.compress(picture.convert("RGB").tobytes())
        entries = b"/Type/XObject /Subtype/Image /ColorSpace/DeviceRGB /BitsPerComponent 8"
        entries += b" /Filter/FlateDecode /Width %d /Height %d" % picture.size
        objects.append(stream(pixels, entries))
        names.append(b"/I%d %d 0 R" % (number, first + number))
        drawings.append(b"q %g 0 0 %g 0 0 cm /I%d Do Q" % (*size, number))
    return pdf(drawings, size, resources=b"/XObject<<%s>>" % b" ".join(names), more=objects)


def endless(depth: int = 9, breadth: int = 10) -> bytes:
    """One page whose drawing calls itself apart: `breadth ** depth` rectangles in 2 kB."""
    first, forms = 6, []
    for level in range(depth):
        is_last = level == depth - 1
        drawing = b"0 0 500 500 re f" if is_last else b"/X Do " * breadth
        inner = b"" if is_last else b"/Resources<</XObject<</X %d 0 R>>>>" % (first + level + 1)
        forms.append(stream(drawing, b"/Type/XObject /Subtype/Form /BBox[0 0 600 800] " + inner))
    return pdf([b"/X Do"], resources=b"/XObject<</X 6 0 R>>", more=forms)
