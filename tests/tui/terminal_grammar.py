"""What this program may write to a terminal: a strict grammar, and everything else is foreign.

Knows nothing of the program's own filters: what hides or reorders text is told by properties of
Unicode, what acts on the terminal by the structure of ECMA-48, sections 5.4 and 8.3.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEQUENCE: Final = re.compile(
    r"\x1b\[(?P<csi>[0-?]*[ -/]*[@-~])"
    r"|\x1b\](?P<osc>[^\x00-\x1f\x7f-\x9f]*)(?:\x07|\x1b\\)"
    r"|\x1b_G(?P<graphics>[!-~]*)\x1b\\"
)

_CSI: Final = (
    r"\d{1,4};\d{1,4}H",  # where the cursor is
    r"\?(?:2026|2048)\$p",  # does this terminal know these two?
    r">\d{1,2}u|<u",  # the keyboard protocol, on and off
)
_ALLOWED_CSI: Final = re.compile("|".join(f"(?:{form})" for form in _CSI))

_MODE: Final = re.compile(
    r"\?(?P<mode>25|7|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)(?P<state>[hl])"
)
"""The cursor, wrapping, the mouse, the focus, the other screen, pastes, frames, and sizes."""

_AT_THE_END: Final = frozenset({"25h", "7h", "1000l", "1003l", "1006l", "1015l", "1049l", "2004l"})
"""After one of these nothing is drawn any more."""

_COLOUR: Final = r"(?:5;\d{1,3}|2;\d{1,3};\d{1,3};\d{1,3})"
_SGR: Final = re.compile(
    rf"(?:(?:[012345679]|2[1-9]|3[0-79]|4[0-79]|5[0-5]|9[0-7]|10[0-7]|38;{_COLOUR}|48;{_COLOUR})(?:;|(?=m)))*m"
)
"""Not 8: text that is there and cannot be seen."""

_GRAPHICS: Final = re.compile(
    r"a=t,f=24,o=z,s=\d{1,3},v=\d{1,3},i=(?P<sent>\d{1,8}),q=2,m=[01];[A-Za-z0-9+/]{0,4096}={0,2}"
    r"|q=2,m=[01];[A-Za-z0-9+/]{0,4096}={0,2}"
    r"|a=p,U=1,i=\d{1,8},c=\d\d?,r=\d\d?,q=2"
    r"|a=d,d=I,i=(?P<deleted>\d{1,8}),q=2"
)
"""The protocol of kitty: a picture in pieces, its cells, its end. Nothing that is answered (q=2)."""

_PLACEHOLDERS: Final = re.compile("\U0010eeee[\u0300-\u05af]{2}")

_POINTER: Final = re.compile(r"22;(?:default|text|pointer|[a-z]{1,4}-resize)")

# Default_Ignorable_Code_Point of Unicode 16 (DerivedCoreProperties.txt): shown as nothing. Allowed of
# these is what scripts and emoji need: the two zero-width joiners and the two selectors of an emoji.
_IGNORABLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_JOINERS: Final = "\u200c\u200d"

# Of the format characters (Cf) these are visible: they stand around numbers and words.
_VISIBLE_FORMATS: Final = re.compile(
    "[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\U00013430-\U0001345f]"
)


class _BorrowedTitle:
    """Kept, shown as often as one likes, made empty, given back: in this order and no other."""

    def __init__(self, titles: frozenset[str]) -> None:
        self._titles = titles
        self.is_kept = False
        self._is_empty = False

    def takes(self, sequence: re.Match[str]) -> bool:
        """Whether a sequence has its place here."""
        was_empty, self._is_empty = self._is_empty, False
        match sequence["csi"]:
            case "22;0t" if not self.is_kept:
                self.is_kept = True
                return True
            case "23;0t" if was_empty:
                self.is_kept = False
                return True
        osc = sequence["osc"]
        if not self.is_kept or osc is None or not osc.startswith("0;"):
            return False
        self._is_empty = osc == "0;"
        return sequence[0].endswith("\x07") and (self._is_empty or osc[2:] in self._titles)


class _Pictures:
    """Sent, and taken back before the end."""

    def __init__(self, *, are_allowed: bool) -> None:
        self._are_allowed = are_allowed
        self.kept: set[str] = set()

    def takes(self, sequence: re.Match[str]) -> bool:
        """Whether a sequence has its place here."""
        found = _GRAPHICS.fullmatch(sequence["graphics"] or "") if self._are_allowed else None
        if found is None:
            return False
        self.kept.add(found["sent"] or "")
        self.kept -= {found["deleted"], ""}
        return True


@dataclass(frozen=True)
class Grammar:
    """What may be written besides text, colours and the movements of the cursor.

    Args:
        draws: Whether it is a program that draws; others write lines, and a line that is replaced.
        clipboard: The texts that may be copied by the terminal (OSC 52).
        titles: The titles that the window may get (OSC 0), between XTWINOPS 22 and 23.
        rings: How often the bell may ring.
        has_pictures: Whether pictures may be sent, which are all taken back at the end.
        is_edited: Whether lines are edited there, as readline does it on a terminal that can nothing.
    """

    draws: bool = True
    clipboard: frozenset[str] = frozenset()
    titles: frozenset[str] = frozenset()
    rings: int = 0
    is_edited: bool = False
    has_pictures: bool = False

    def foreign(self, written: bytes) -> list[str]:
        """Everything in `written` that has no place in it, in order."""
        try:
            text = written.decode()
        except UnicodeDecodeError as error:
            return [f"not UTF-8: {error.object[error.start : error.end + 8]!r}"]
        return list(self._foreign(text))

    def _foreign(self, text: str) -> Iterator[str]:
        place, last_mode, is_over = 0, "", False
        title, rings = _BorrowedTitle(self.titles), self.rings
        pictures = _Pictures(are_allowed=self.has_pictures)
        while place < len(text):
            end = text.find("\x1b", place)
            plain = text[place : end if end >= 0 else len(text)]
            place += len(plain)
            harmless = self._newlines().sub("", plain)
            harmless = _PLACEHOLDERS.sub("", harmless) if self.has_pictures else harmless
            rings -= (is_bell := self.draws and harmless == "\x07")  # alone, between sequences
            harmless = "" if is_bell and rings >= 0 else harmless
            yield from (repr(character) for character in harmless if self._is_foreign(character))
            if end < 0:
                return
            sequence = _SEQUENCE.match(text, place)
            if sequence is None:
                yield repr(text[place : place + 24])
                place += 1
                continue
            place = sequence.end()
            if mode := _MODE.fullmatch(sequence["csi"] or "") if self.draws else None:
                name = mode["mode"] + mode["state"]
                is_over = is_over or name in _AT_THE_END
                if mode["mode"] == "2026" and (name == "2026h") is (last_mode == "2026h"):
                    yield f"{sequence[0]!r}: a frame in a frame"
                last_mode = name if mode["mode"] == "2026" else last_mode
            elif not (self._allows(sequence) or title.takes(sequence) or pictures.takes(sequence)):
                yield repr(sequence[0])
            elif is_over and sequence[0].endswith("H"):
                yield f"{sequence[0]!r} after the end"
                is_over = False
        if title.is_kept:
            yield "a title that is never given back"
        if last_mode == "2026h":
            yield "a frame that never ends"
        yield from (f"picture {number} stays" for number in sorted(pictures.kept))

    def _newlines(self) -> re.Pattern[str]:
        if self.draws:
            return re.compile(r"\r?\n\Z")  # behind the last row, when it leaves
        return re.compile(r"[\r\n\t\b]" if self.is_edited else r"\r*\n|\r\Z|\t")

    def _is_foreign(self, character: str) -> bool:
        if " " <= character <= "~":
            return False
        if character == "\U0010eeee":  # a piece of a picture, where the terminal has one
            return True
        match unicodedata.category(character):
            case "Cc":
                return True
            case "Cf":
                return character not in _JOINERS and not _VISIBLE_FORMATS.match(character)
            case "Cs" | "Zl" | "Zp":
                return True
            case _:
                return bool(_IGNORABLE.match(character))

    def _allows(self, sequence: re.Match[str]) -> bool:
        if (csi := sequence["csi"]) is not None:
            if not self.draws:
                return bool(re.fullmatch("K", csi))
            return bool(_ALLOWED_CSI.fullmatch(csi) or _SGR.fullmatch(csi))
        osc = sequence["osc"]
        if not self.draws or osc is None:
            return False
        return bool(_POINTER.fullmatch(osc)) or self._is_copy(osc)

    def _is_copy(self, osc: str) -> bool:
        if not osc.startswith("52;c;"):
            return False
        try:
            return base64.b64decode(osc[5:], validate=True).decode() in self.clipboard
        except (binascii.Error, UnicodeDecodeError):
            return False
