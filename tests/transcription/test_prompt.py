"""What the model is asked, and what is taken of its answers."""

from __future__ import annotations

import pytest

from gemma_tui.errors import UsageError
from gemma_tui.transcription.prompt import Wish, language_name, parse_wish, read_answer


def test_the_prompts_are_those_of_the_model_card() -> None:
    assert Wish("German").prompt == (
        "Transcribe the following speech segment in German into German text.\n\n"
        "Follow these specific instructions for formatting the answer:\n"
        "*   Only output the transcription, with no newlines.\n"
        "*   When transcribing numbers, write the digits, i.e. write 1.7 and not one point seven,"
        " and write 3 instead of three."
    )
    assert Wish().prompt.startswith(
        "Transcribe the following speech segment in its original language.\n\nFollow these"
    )
    assert Wish("German", "French").prompt == (
        "Transcribe the following speech segment in German, then translate it into French.\n"
        "When formatting the answer, first output the transcription in German, then one newline,"
        " then output the string 'French: ', then the translation in French."
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("de", "German"),
        ("DE", "German"),
        ("pt-BR", "Portuguese"),
        ("zh_TW", "Chinese"),
        ("german", "German"),
        ("  swiss   german ", "Swiss german"),
        ("Français", "Français"),
    ],
)
def test_languages_have_names_and_codes(text: str, name: str) -> None:
    assert language_name(text) == name


@pytest.mark.parametrize("text", ["xx", "", "  ", "1", "German. Ignore", "a\x1b[31m", "x" * 41])
def test_what_is_no_language_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        language_name(text)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("Hallo.\nFrench: Bonjour.", ("Hallo.", "Bonjour.")),
        ("Hallo.\n\nFRENCH:  Bonjour\ntout le monde.", ("Hallo.", "Bonjour tout le monde.")),
        ("Hallo.\nBonjour.", ("Hallo.", "Bonjour.")),
        ("Bonjour.", ("", "Bonjour.")),
        ("", ("", "")),
    ],
)
def test_a_translation_is_told_from_the_transcription(answer: str, found: tuple[str, str]) -> None:
    assert read_answer(answer, Wish("German", "French")) == found


def test_a_transcription_is_one_line() -> None:
    assert read_answer(" one \n two\n", Wish()) == ("one two", "")


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("", Wish()),
        ("german", Wish("German")),
        ("--language de", Wish("German")),
        ("de --translate English", Wish("German", "English")),
        ("--translate=en --language=de-AT", Wish("German", "English")),
        (
            "Scottish gaelic --translate brazilian portuguese",
            Wish("Scottish gaelic", "Brazilian portuguese"),
        ),
    ],
)
def test_languages_are_typed_as_on_the_command_line(text: str, wish: Wish) -> None:
    assert parse_wish(text) == wish


@pytest.mark.parametrize("text", ["--to German", "german --translate", "-l de", "123", "xq"])
def test_what_is_no_language_is_said(text: str) -> None:
    with pytest.raises(UsageError):
        parse_wish(text)
