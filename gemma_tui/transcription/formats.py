"""A transcript as text, as subtitles or as JSON. Pure: texts in, pieces of a file out."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gemma_tui.preprocessing.budget import SAMPLE_RATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.transcription.clip_text import ClipText
    from gemma_tui.transcription.prompt import Wish

FORMATS: Final = ("txt", "srt", "json")


class PlainText:
    """The text alone: a line for what stands between two pauses the sound was cut at."""

    def __init__(self) -> None:
        self._separator = ""

    def add(self, clip: ClipText) -> str:
        """What a clip adds."""
        words = clip.translation or clip.text
        piece = f"{self._separator}{words}" if words else ""
        if words:
            self._separator = " "
        if not clip.overlaps and self._separator:
            self._separator = "\n"
        return piece


class Subtitles:
    """SubRip: a number, two times and a text for each clip that says something."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, clip: ClipText) -> str:
        """The subtitle of a clip; it ends where that of the next begins."""
        words = clip.translation or clip.text
        if not words:
            return ""
        self._count += 1
        stop = clip.next_start if clip.overlaps else clip.stop
        return f"{self._count}\n{_time(clip.start)} --> {_time(stop)}\n{words}\n\n"


def writer_of(form: str) -> PlainText | Subtitles | None:
    """What writes a format clip by clip; None for one that is written at the end."""
    match form:
        case "txt":
            return PlainText()
        case "srt":
            return Subtitles()
        case _:
            return None


def plain_text(clips: Sequence[ClipText]) -> str:
    """The whole text of a transcript."""
    writer = PlainText()
    return "".join(map(writer.add, clips))


def to_json(name: str, clips: Sequence[ClipText], wish: Wish, model: str, *, is_whole: bool) -> str:
    """One JSON object on one line; times are seconds.

    Args:
        name: Of the file.
        clips: In order.
        wish: What was asked for.
        model: The model's name.
        is_whole: Whether the last clip is there, and nothing failed.
    """
    value: dict[str, object] = {
        "file": name,
        "model": model,
        "language": wish.language or None,
        "complete": is_whole,
        "text": plain_text([_untranslated(clip) for clip in clips]),
    }
    if wish.translation:
        value |= {"translated_to": wish.translation, "translation": plain_text(clips)}
    value["clips"] = [_clip_value(clip, wish) for clip in clips]
    return json.dumps(value, ensure_ascii=False)


def _clip_value(clip: ClipText, wish: Wish) -> dict[str, object]:
    value: dict[str, object] = {
        "start": clip.start / SAMPLE_RATE,
        "end": clip.stop / SAMPLE_RATE,
        "text": clip.text,
    }
    if wish.translation:
        value["translation"] = clip.translation
    if clip.problem:
        value["problem"] = clip.problem
    return value


def _untranslated(clip: ClipText) -> ClipText:
    return replace(clip, translation="")


def _time(sample: int) -> str:
    """`00:01:02,345`, as SubRip wants it."""
    seconds, milliseconds = divmod(round(1000 * sample / SAMPLE_RATE), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02},{milliseconds:03}"
