"""Pictures as pixels: what is sent, what stands for them, and that none stays in the terminal."""

from __future__ import annotations

import re
import zlib
from base64 import b64decode
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from gemma_tui.generation import MediaPreview
from gemma_tui.tui.graphics.images import MAX_IMAGES, TerminalImages
from gemma_tui.tui.graphics.kitty import PIECE_BYTES, Graphic, sent, shows_placeholders
from gemma_tui.tui.transcript.pictures import picture_rows
from tests.tui.foreign_text import ESC, Program
from tests.tui.terminal_grammar import Grammar

if TYPE_CHECKING:
    from pathlib import Path

PICTURES = Grammar(has_pictures=True)
NOISE = bytes((7919 * n * n >> 7) & 0xFF for n in range(3 * 120 * 100))
"""That no compression makes one piece of."""


def picture(width: int, height: int, colour: str = "ff8000") -> MediaPreview:
    return MediaPreview(width, height, rgb=colour * (width * height))


def test_a_picture_comes_back_out_of_its_pieces() -> None:
    written = sent(Graphic(77, 48, 20), 120, 100, NOISE)
    pieces = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", written)
    assert len(pieces) > 2
    assert [len(data) for _, data in pieces[:-1]] == [PIECE_BYTES] * (len(pieces) - 1)
    assert [keys[-3:] for keys, _ in pieces] == ["m=1"] * (len(pieces) - 1) + ["m=0"]
    assert pieces[0][0].startswith("a=t,f=24,o=z,s=120,v=100,i=77,")
    assert zlib.decompress(b64decode("".join(data for _, data in pieces))) == NOISE
    assert written.endswith("\x1b_Ga=p,U=1,i=77,c=48,r=20,q=2\x1b\\")
    assert PICTURES.foreign(written.encode()) == ["picture 77 stays"]


@pytest.mark.parametrize(
    ("size", "cells"),
    [((384, 320), (48, 20)), ((384, 100), (48, 7)), ((10, 320), (1, 20)), ((16, 16), (16, 8))],
)
def test_it_is_as_large_as_with_half_blocks(size: tuple[int, int], cells: tuple[int, int]) -> None:
    graphic = TerminalImages(lambda _: None, 1).show(picture(*size))
    assert (graphic.columns, graphic.rows) == cells


def test_each_is_sent_once_and_all_are_taken_back() -> None:
    written: list[str] = []
    images = TerminalImages(written.append, 0xFFFFFF)
    first = images.show(picture(4, 4))
    assert images.show(picture(4, 4)) == first
    assert len(written) == 1
    second = images.show(picture(4, 4, "0000ff"))
    assert (first.image_id, second.image_id) == (0xFFFFFF, 1)
    images.restore()
    assert PICTURES.foreign("".join(written).encode()) == []
    written.clear()
    images.resend()
    sent_again = [re.search("i=([0-9]+)", text) for text in written]
    assert [found and found[1] for found in sent_again] == [str(0xFFFFFF), "1"]


def test_the_terminal_keeps_only_so_many() -> None:
    written: list[str] = []
    images = TerminalImages(written.append, 1)
    for number in range(MAX_IMAGES):
        images.show(picture(1, 1, f"{number:06x}"))
    images.show(picture(1, 1, "000000"))  # seen again: not the oldest any more
    images.show(picture(1, 1, "ffffff"))
    assert [text for text in written if "a=d" in text] == ["\x1b_Ga=d,d=I,i=2,q=2\x1b\\"]


def test_rows_are_cut_to_the_room() -> None:
    rows = picture_rows(Graphic(258, 10, 3), 8)
    assert [row.spans[1][1] for row in rows] == ["graphic#000102"] * 3
    assert [row.spans[1][0].count("\U0010eeee") for row in rows] == [6] * 3


@pytest.mark.parametrize(
    ("environ", "is_known"),
    [
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "xterm-ghostty"}, True),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux"}, False),
        ({}, False),
    ],
)
def test_only_terminals_that_know_placeholders(environ: dict[str, str], is_known: bool) -> None:
    assert shows_placeholders(environ) is is_known


@pytest.mark.parametrize(("term", "is_sent"), [("xterm-kitty", True), ("xterm-256color", False)])
def test_a_preview_in_the_terminal(tmp_path: Path, term: str, is_sent: bool) -> None:
    file = tmp_path / "a picture.png"
    file.write_bytes(b"picture")
    environ = {"TERM": term, "GEMMA_TUI_PREVIEWS": "kitty"}
    with closing(Program(tmp_path / "home", environ=environ, size=(80, 30))) as program:
        program.shows("● ready")
        program.paste(f"{file}")
        program.shows("a picture.png")
        program.send("what is it?")
        program.shows("tokens/s")
        program.shows("● ready")
        program.type(f"{ESC}{ESC}[A")
        program.shows("Esc back")
        program.type("\x1b[A")
        program.shows("e edit")
        program.type("\r")
        program.shows("\U0010eeee" if is_sent else "▀")
        program.leave()
        assert program.foreign(PICTURES if is_sent else None) == []
        assert (b"\x1b_Ga=t," in program.written) is is_sent
