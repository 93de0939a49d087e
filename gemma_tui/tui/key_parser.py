"""From what the terminal writes to keys: Textual's parser, but Alt and a letter is one key.

Textual (8.2.8) takes Alt and a digit for what a Mac types with Option (Alt+1 is `¡` there), hears
Enter in Alt+Enter, and drops Alt where the keyboard protocol sends the text of the key as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from textual._xterm_parser import XTermParser
from textual.events import Key

if TYPE_CHECKING:
    from collections.abc import Iterable

_PREFIXED: Final = re.compile(r"\x1b([0-9])")
"""Alt and a digit as terminals without the keyboard protocol write it."""

_WITH_TEXT: Final = re.compile(r"\x1b\[(\d+)(?::\d*)*;3(?::\d*)?;(\d+)u")
"""Alt alone and a key, with its text (https://sw.kovidgoyal.net/kitty/keyboard-protocol/)."""


class KeyParser(XTermParser):
    """Makes keys, mouse events and pastes of what a terminal writes."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[Key]:
        if prefixed := _PREFIXED.fullmatch(sequence):
            yield Key(f"alt+{prefixed[1]}", prefixed[1])
            return
        with_text = _WITH_TEXT.fullmatch(sequence)
        if with_text and with_text[1] == with_text[2]:  # another text was meant, as Option's is
            yield Key(f"alt+{chr(int(with_text[1]))}", chr(int(with_text[1])))
            return
        for key in super()._sequence_to_key_events(sequence, alt):
            yield Key("alt+enter", None) if alt and key.key == "enter" else key
