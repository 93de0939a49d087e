"""What the model is asked to do with a clip, and what its answer means. Pure.

The wording is Google's own for Gemma 4 (the audio section of its model documentation): it was
trained on these sentences, so they are not to be improved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gemma_tui.errors import UsageError

_TRANSCRIBE: Final = (
    "Transcribe the following speech segment in {language}.\n\n"
    "Follow these specific instructions for formatting the answer:\n"
    "*   Only output the transcription, with no newlines.\n"
    "*   When transcribing numbers, write the digits, i.e. write 1.7 and not one point seven, and"
    " write 3 instead of three."
)

_TRANSLATE: Final = (
    "Transcribe the following speech segment in {language}, then translate it into {target}.\n"
    "When formatting the answer, first output the transcription in {language}, then one newline,"
    " then output the string '{target}: ', then the translation in {target}."
)

_ANY_LANGUAGE: Final = "its original language"

_NAMES: Final = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech",
    "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French", "gu": "Gujarati",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian",
    "it": "Italian", "ja": "Japanese", "kn": "Kannada", "ko": "Korean", "lt": "Lithuanian",
    "lv": "Latvian", "ml": "Malayalam", "mr": "Marathi", "ms": "Malay", "nl": "Dutch",
    "no": "Norwegian", "pa": "Punjabi", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish",
    "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "th": "Thai", "tr": "Turkish",
    "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
"""Names by ISO 639-1 code: the prompt was trained with names."""

_LONGEST_NAME: Final = 40

EXAMPLE: Final = "/transcribe german, or /transcribe --language de --translate English"
"""What a user may write in the chat."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a sound."""

    language: str = ""
    """Name of the language that is spoken; empty: the model finds out."""
    translation: str = ""
    """Name of the language it is translated into; empty: it is not translated."""

    @property
    def prompt(self) -> str:
        """What the model is told in front of each clip."""
        language = self.language or _ANY_LANGUAGE
        if self.translation:
            return _TRANSLATE.format(language=language, target=self.translation)
        into = f" into {self.language} text" if self.language else ""
        return _TRANSCRIBE.format(language=f"{language}{into}")


def language_name(text: str) -> str:
    """The name of a language for the prompt.

    Args:
        text: A name, or an ISO 639-1 code such as `de`, also with a region (`de-AT`).

    Raises:
        UsageError: That is no language's name.
    """
    name = " ".join(text.split())
    if known := _NAMES.get(re.split("[-_]", name.lower())[0]):
        return known
    letters = [character for character in name if character not in " -()'"]
    if not letters or not all(map(str.isalpha, letters)) or len(name) > _LONGEST_NAME:
        raise UsageError(
            "A language is named in words or by its code.", "For example German, or de."
        )
    if len(name) <= 3:
        raise UsageError(f"“{name}” is no language code known here.", "Write its name.")
    return name[0].upper() + name[1:]


def parse_wish(text: str) -> Wish:
    """What was typed behind `/transcribe`: `german`, `--language de --translate English`.

    Raises:
        UsageError: It says something else, or names no language.
    """
    spoken: list[str] = []
    wanted: dict[str, list[str]] = {"--language": spoken, "--translate": []}
    words = spoken
    for word in text.replace("=", " ").split():
        if word in wanted:
            words = wanted[word]
        elif word.startswith("-"):
            raise UsageError(f"/transcribe knows no “{word}”.", f"Write {EXAMPLE}.")
        else:
            words.append(word)
    language, translation = (" ".join(found) for found in wanted.values())
    is_empty = not translation and "--translate" in text.replace("=", " ").split()
    if is_empty:
        raise UsageError("--translate names no language.", f"Write {EXAMPLE}.")
    return Wish(
        language_name(language) if language else "",
        language_name(translation) if translation else "",
    )


def read_answer(answer: str, wish: Wish) -> tuple[str, str]:
    """Transcription and translation in an answer; the latter is empty where none was wanted.

    A model that leaves the mark out has its last line taken for the translation.
    """
    lines = [" ".join(line.split()) for line in answer.splitlines()]
    lines = [line for line in lines if line]
    if not wish.translation:
        return " ".join(lines), ""
    mark = f"{wish.translation}:".casefold()
    for index, line in enumerate(lines):
        if line.casefold().startswith(mark):
            translated = " ".join((line[len(mark) :].strip(), *lines[index + 1 :]))
            return " ".join(lines[:index]), translated.strip()
    return (" ".join(lines[:-1]), lines[-1]) if len(lines) > 1 else ("", "".join(lines))
