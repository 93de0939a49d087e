"""Every way a terminal spells a dropped file, and texts that only look like one."""

from __future__ import annotations

import os
import shlex
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from gemma_tui.frontend.dropped import (
    MAX_DROP_LENGTH,
    Drop,
    may_be_dropped,
    parse_drop,
    parse_dropped,
)

if TYPE_CHECKING:
    from collections.abc import Callable

HOME = os.path.expanduser("~")  # noqa: PTH111


def found(text: str, *existing: str) -> list[str]:
    """What `text` resolves to on a disk that holds `existing` and the folders they are in."""
    disk = set(existing)
    for path in existing:
        disk.update(str(parent) for parent in Path(path).parents)
    return [
        str(path)
        for path in parse_dropped(text, lambda path: path.rstrip("/") in disk or path == "/")
    ]


SPELLINGS = {
    "plain": ("/a/b.png", ["/a/b.png"]),
    "Alacritty: raw with a blank behind": ("/a/b c.png ", ["/a/b c.png"]),
    "kitty: raw with blanks inside": ("/a/b c.png", ["/a/b c.png"]),
    "kitty: several raw ones": ("/a/b c.png /a/b.png", ["/a/b c.png", "/a/b.png"]),
    "Terminal, iTerm2, Ghostty: backslashes": (r"/a/b\ c.png", ["/a/b c.png"]),
    "several with backslashes": (r"/a/b\ c.png /a/b.png ", ["/a/b c.png", "/a/b.png"]),
    "backslashed brackets and quotes": (
        r"/a/it\'s\ \[x\]\ \(1\)\&\$.png",
        ["/a/it's [x] (1)&$.png"],
    ),
    "VS Code: single quotes": ("'/a/b c.png'", ["/a/b c.png"]),
    "several in single quotes": ("'/a/b c.png' '/a/b.png'", ["/a/b c.png", "/a/b.png"]),
    "a quote inside single quotes": (r"'/a/it'\''s [x] (1)&$.png'", ["/a/it's [x] (1)&$.png"]),
    "double quotes": ('"/a/b c.png"', ["/a/b c.png"]),
    "escapes in double quotes": (r'"/a/it' + "'" + r's [x] (1)&\$.png"', ["/a/it's [x] (1)&$.png"]),
    "quoted and not": ("'/a/b c.png' /a/b.png", ["/a/b c.png", "/a/b.png"]),
    "one a line": ("/a/b c.png\n/a/b.png\n", ["/a/b c.png", "/a/b.png"]),
    "one a line, CRLF": ("/a/b c.png\r\n/a/b.png\r\n", ["/a/b c.png", "/a/b.png"]),
    "file URL": ("file:///a/b%20c.png", ["/a/b c.png"]),
    "file URL with a host": ("file://localhost/a/b%20c.png", ["/a/b c.png"]),
    "file URL with one slash": ("file:/a/b%20c.png", ["/a/b c.png"]),
    "several file URLs": ("file:///a/b%20c.png\nfile:///a/b.png", ["/a/b c.png", "/a/b.png"]),
    "file URL in quotes": ("'file:///a/b%20c.png'", ["/a/b c.png"]),
    "order is kept": ("/a/z.wav /a/b.png /a/b c.png", ["/a/z.wav", "/a/b.png", "/a/b c.png"]),
    "a folder is found, to be refused by name": ("/a", ["/a"]),
    "a file with a name like a URL inside": ("/a/100%25.png", ["/a/100%25.png"]),
    "a blank at the end of the name": ("/a/end ", ["/a/end "]),
    "a line break in the name": ("/a/two\nlines.png", ["/a/two\nlines.png"]),
    "home": ("~/pic.png", [f"{HOME}/pic.png"]),
    "home with backslashes": (r"~/my\ pic.png", [f"{HOME}/my pic.png"]),
    "home in the middle of several": ("/a/b.png ~/pic.png", ["/a/b.png", f"{HOME}/pic.png"]),
}

DISK = sorted({path for _, paths in SPELLINGS.values() for path in paths if path != "/a"})


@pytest.mark.parametrize(("text", "paths"), SPELLINGS.values(), ids=SPELLINGS.keys())
def test_a_drop_is_found(text: str, paths: list[str]) -> None:
    assert found(text, *DISK) == paths


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n",
        "hello",
        "b.png",
        "a/b.png",
        "see /a/b.png",
        "/a/b.png is a picture",
        "/a/b.png /a/missing.png",
        "/missing",
        "'/a/b.png",
        '"/a/b.png',
        "/a/b.png\\",
        "'/a/b.png' and",
        "file://elsewhere/a/b.png",
        "https://a/b.png",
        "file:",
        "~nobody-of-that-name/x",
        "/* a comment */",
        "// another",
        "/a/b.png\0",
    ],
)
def test_text_that_is_no_drop_stays_text(text: str) -> None:
    assert found(text, *DISK) == []


@pytest.mark.parametrize("odd", ["\u202f", "\u00a0"])
@pytest.mark.parametrize("pasted_plain", [True, False])
def test_odd_spaces_of_screenshots_match_plain_ones(odd: str, pasted_plain: bool) -> None:
    odd_name = f"/a/Screenshot 2026-05-01 at 3.04.05{odd}PM.png"
    plain_name = odd_name.replace(odd, " ")
    pasted, stored = (plain_name, odd_name) if pasted_plain else (odd_name, plain_name)
    assert found(pasted, stored) == [stored]
    assert found(pasted.replace(" ", "\\ "), stored) == [stored]


@pytest.mark.parametrize(("pasted", "stored"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_composed_and_decomposed_names_match(pasted: str, stored: str) -> None:
    name = "/a/Capture d’écran à Zürich.png"
    on_disk = unicodedata.normalize(stored, name)  # type: ignore[arg-type]
    assert found(unicodedata.normalize(pasted, name), on_disk) == [on_disk]  # type: ignore[arg-type]


def test_long_text_is_not_tried() -> None:
    text = "/a" + " /a" * MAX_DROP_LENGTH
    assert not may_be_dropped(text)
    assert parse_dropped(text) == ()


def test_text_with_many_slashes_costs_few_look_ups() -> None:
    asked: list[str] = []

    def exists(path: str) -> bool:
        asked.append(path)
        return False

    assert parse_dropped("/usr " + "and /or " * 100, exists) == ()
    assert len(asked) < 5_000


def test_real_files_are_found(tmp_path: Path) -> None:
    names = [
        "plain.png",
        "with blank.png",
        "it's.png",
        'say "hi".png',
        "a\\b.png",
        "tab\t.png",
        "ü – 日本 🎉.png",
    ]
    paths = [tmp_path / name for name in names]
    for path in paths:
        path.write_bytes(b"x")
    assert parse_dropped(" ".join(shlex.quote(str(path)) for path in paths)) == tuple(paths)
    assert parse_dropped("\n".join(path.as_uri() for path in paths)) == tuple(paths)


file_names = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40
).filter(lambda name: name not in {".", ".."} and len(name.encode()) < 250)


def backslashed(path: str) -> str:
    return "".join(c if c.isalnum() or c in "/._-" else f"\\{c}" for c in path)


def double_quoted(path: str) -> str:
    escaped = "".join(f"\\{c}" if c in '"\\$`' else c for c in path)
    return f'"{escaped}"'


STYLES: dict[str, Callable[[str], str]] = {
    "raw": str,
    "backslashes": backslashed,
    "single quotes": lambda path: "'" + path.replace("'", "'\\''") + "'",
    "double quotes": double_quoted,
    "URL": lambda path: "file://" + quote(path),
}


@given(
    name=file_names, style=st.sampled_from(sorted(STYLES)), blank=st.sampled_from(["", " ", "\n"])
)
@example(name="\r", style="raw", blank=" ")
def test_any_name_is_found_in_any_spelling(name: str, style: str, blank: str) -> None:
    path = f"/folder/{name}"
    text = STYLES[style](path) + blank
    # Unquoted, the first bytes may mean something else: a name that looks quoted or encoded itself.
    assume(style != "raw" or not set(name) & set("'\"\\"))
    assert found(text, path) == [path]


@given(
    names=st.lists(file_names, min_size=2, max_size=5, unique=True),
    style=st.sampled_from(["backslashes", "single quotes", "double quotes", "URL"]),
)
def test_several_names_are_found_in_their_order(names: list[str], style: str) -> None:
    paths = [f"/folder/{name}" for name in names]
    assert found(" ".join(STYLES[style](path) for path in paths), *paths) == paths


@given(st.text(max_size=200))
def test_nothing_makes_it_fail(text: str) -> None:
    assert parse_dropped("/" + text, lambda _: False) == ()


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("/here/a.png /gone/b.png", "/gone/b.png"),
        ("/gone/b\\ c.png /here/a.png ", "/gone/b c.png"),
        ("'/gone/b c.png' '/here/a.png'", "/gone/b c.png"),
        ("/here/a.png\nfile:///gone/b%20c.png", "/gone/b c.png"),
    ],
)
def test_of_several_one_may_be_gone(text: str, missing: str) -> None:
    here = Path("/here/a.png")
    assert parse_drop(text, lambda path: path == str(here)) == Drop((here,), (Path(missing),))


@pytest.mark.parametrize(
    "text",
    [
        "/gone/a.png",
        "/gone/a.png /gone/b.png",
        "/here/a.png is better than /gone/b.png",
        "/gone/b.png is worse than /here/a.png",
        "/here/a.png /closer",
        "/here/a.png /gone/b.png, I think",
    ],
)
def test_what_reads_as_text_stays_text(text: str) -> None:
    assert parse_drop(text, lambda path: path == "/here/a.png") == Drop(())
