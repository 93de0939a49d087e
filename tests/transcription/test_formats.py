"""The three formats of a transcript."""

from __future__ import annotations

import json

from gemma_tui.transcription.clip_text import ClipText
from gemma_tui.transcription.formats import Subtitles, plain_text, to_json
from gemma_tui.transcription.prompt import Wish

SECOND = 16_000
CLIPS = (
    ClipText(0, 20 * SECOND, 20 * SECOND, "One two.", "Eins zwei."),
    ClipText(20 * SECOND, 30 * SECOND, 30 * SECOND),
    ClipText(30 * SECOND, 59 * SECOND, 58 * SECOND, "Three", "Drei"),
    ClipText(58 * SECOND, 3_661 * SECOND + 8, 0, "four.", "vier.", problem="It is short."),
)
ORIGINAL = tuple(ClipText(c.start, c.stop, c.next_start, c.text) for c in CLIPS)


def test_a_pause_ends_a_line_and_silence_says_nothing() -> None:
    assert plain_text(ORIGINAL) == "One two.\nThree four."
    assert plain_text(CLIPS) == "Eins zwei.\nDrei vier."
    assert plain_text(CLIPS[1:2]) == ""
    assert plain_text(CLIPS[1:]) == "Drei vier."


def test_subtitles_have_the_times_of_the_borders() -> None:
    writer = Subtitles()
    assert "".join(map(writer.add, ORIGINAL)) == (
        "1\n00:00:00,000 --> 00:00:20,000\nOne two.\n\n"
        "2\n00:00:30,000 --> 00:00:58,000\nThree\n\n"
        "3\n00:00:58,000 --> 01:01:01,000\nfour.\n\n"
    )


def test_json_has_both_texts_and_what_is_wrong() -> None:
    value = json.loads(to_json("a.wav", CLIPS, Wish("English", "German"), "m", is_whole=False))
    assert value["text"] == "One two.\nThree four."
    assert value["translation"] == "Eins zwei.\nDrei vier."
    assert (value["file"], value["language"], value["complete"]) == ("a.wav", "English", False)
    assert [clip["start"] for clip in value["clips"]] == [0, 20, 30, 58]
    assert value["clips"][3]["problem"] == "It is short."
    original = json.loads(to_json("a.wav", ORIGINAL, Wish(), "m", is_whole=True))
    assert original["language"] is None
    assert "translation" not in original
    assert "problem" not in original["clips"][0]
