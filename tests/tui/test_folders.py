"""Folders that are dropped: what they would bring, and that nothing is added without a yes."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gemma_tui.errors import NotAFileError
from gemma_tui.frontend.folders import MAX_PICTURES, FolderOffer, offer_words, pictures_in

if TYPE_CHECKING:
    from tests.tui.conftest import Opener


@pytest.fixture
def holiday(tmp_path: Path) -> Path:
    """Three pictures, and much that is none."""
    folder = tmp_path / "holiday\x1b[2J"
    folder.mkdir()
    for name in ("day 10.png", "day 2.JPG", "a.heic"):
        (folder / name).write_bytes(name.encode())
    for name in ("notes.txt", ".hidden.png", "png", "archive.png.zip"):
        (folder / name).write_bytes(b"x")
    below = folder / "below.png"
    below.mkdir()
    (below / "c.png").write_bytes(b"c")
    os.mkfifo(folder / "pipe.png")
    (folder / "gone.png").symlink_to(folder / "nowhere")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    return folder


def test_pictures_are_found_by_name_and_kind(
    holiday: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(holiday)  # the path of a socket may not be long
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.png")
        offer = pictures_in(holiday)
    assert [path.name for path in offer.pictures] == ["a.heic", "day 2.JPG", "day 10.png"]
    assert (offer.size_bytes, offer.left_out) == (len("day 10.pngday 2.JPGa.heic"), 0)


def test_a_link_to_a_picture_counts(tmp_path: Path, holiday: Path) -> None:
    folder = tmp_path / "links"
    folder.mkdir()
    (folder / "b.png").symlink_to(holiday / "day 10.png")
    assert pictures_in(folder).pictures == (folder / "b.png",)


def test_at_most_so_many_are_offered(tmp_path: Path) -> None:
    for number in range(MAX_PICTURES + 7):
        (tmp_path / f"{number}.png").write_bytes(b"x")
    offer = pictures_in(tmp_path)
    assert [path.stem for path in offer.pictures] == [str(n) for n in range(MAX_PICTURES)]
    assert offer.left_out == 7
    assert f"the first of {MAX_PICTURES + 7} by their names" in offer_words(offer, 280)


@pytest.mark.parametrize("name", ["empty", "gone"])
def test_a_folder_without_pictures_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        NotAFileError, match=r"is a folder without pictures|cannot be read"
    ) as caught:
        pictures_in(tmp_path / name)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, "Attach 1 picture from the folder “a”?\n2.0 MB, at most 280 tokens."),
        (12, "Attach 12 pictures from the folder “a”?\n2.0 MB, at most 3,360 tokens (12 × 280)."),
    ],
)
def test_the_offer_says_what_it_costs(count: int, words: str) -> None:
    offer = FolderOffer(Path("/a"), (Path("/a/b.png"),) * count, 2_000_000, 0)
    assert offer_words(offer, 280) == words


async def test_nothing_is_added_without_a_yes(open_app: Opener, holiday: Path) -> None:
    async with open_app() as running:
        for key in ("escape", "n"):
            await running.paste(str(holiday))
            await running.shown("Attach 3 pictures from the folder “holiday␛[2J”?")
            assert "at most 840 tokens (3 × 280)." in running.text()
            await running.pilot.press("enter")  # no answer
            assert len(running.app.screen_stack) == 2
            await running.pilot.press(key)
            await running.until(lambda: running.tray.pending == ())
            assert (running.chips(), running.problem) == ([], "")
        assert running.engine.probed == []


async def test_a_yes_adds_its_pictures_in_their_place(
    open_app: Opener, holiday: Path, picture: Path, sound: Path
) -> None:
    async with open_app() as running:
        await running.paste(f"'{picture}' '{holiday}' '{sound}'")
        await running.shown("Attach 3 pictures")
        await running.pilot.press("y")
        await running.until(lambda: len(running.chips()) == 4)
        await running.until(lambda: running.tray.pending == ())
        assert running.chips() == ["red circle.png", "day 2.JPG", "day 10.png", "memo.wav"]
        assert "a.heic" in running.problem  # the scripted engine reads none


async def test_a_folder_without_pictures_keeps_no_other_file_out(
    open_app: Opener, tmp_path: Path, picture: Path
) -> None:
    (tmp_path / "empty").mkdir()
    async with open_app() as running:
        await running.paste(f"'{tmp_path}/empty' '{picture}'")
        await running.until(lambda: running.chips() == ["red circle.png"])
        await running.until(lambda: "is a folder without pictures" in running.problem)


async def test_a_file_that_vanishes_after_the_drop_is_named(
    open_app: Opener, picture: Path, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the moment it is found and the moment it is copied."""
    is_dir = os.path.isdir

    def vanishing(path: Path) -> bool:
        if path == picture:
            picture.unlink()
        return is_dir(path)

    monkeypatch.setattr(os.path, "isdir", vanishing)
    async with open_app() as running:
        await running.paste(f"'{picture}' '{sound}'")
        await running.until(lambda: running.chips() == ["memo.wav"])
        await running.until(lambda: "There is no file" in running.problem)
        assert picture.name in running.problem
