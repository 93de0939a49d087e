r"""Finds formulas in Markdown: `$…$`, `$$…$$`, `\(…\)` and `\[…\]`; prices and code are none.

A rule for markdown-it's inline parser, in the place before its escapes. A single dollar sign opens
a formula only where pandoc's `tex_math_dollars` lets it: no space inside it, no digit behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gemma_tui.tui.transcript.math_text import MAX_LENGTH

if TYPE_CHECKING:
    from markdown_it.rules_inline import StateInline

INLINE: Final = "math_inline"
"""Type of the token of a formula within a line."""
DISPLAY: Final = "math_display"
"""Type of the token of a formula on lines of its own."""

_BRACKETS: Final = {"\\(": ("\\)", INLINE), "\\[": ("\\]", DISPLAY), "$$": ("$$", DISPLAY)}


def math_rule(state: StateInline, silent: bool) -> bool:
    """Take the formula that begins here, if one does."""
    source, at = state.src, state.pos
    if source[at] not in "$\\":
        return False
    opening = source[at : at + 2]
    if opening in _BRACKETS:
        closing, kind = _BRACKETS[opening]
        stop = source.find(closing, at + 2, min(state.posMax, at + 2 + MAX_LENGTH))
        content = source[at + 2 : stop] if stop > 0 else ""
        after = stop + 2
    else:
        stop = _closing_dollar(source, at, state.posMax) if opening[0] == "$" else -1
        content, kind, after = source[at + 1 : max(stop, 0)], INLINE, stop + 1
    if stop < 0 or not content.strip():
        return False
    if not silent:
        state.push(kind, "math", 0).content = content
    state.pos = after
    return True


def _closing_dollar(source: str, at: int, end: int) -> int:
    """Where the formula that a dollar sign opens is closed; -1 if it opens none."""
    before = source[at - 1] if at else " "
    if before.isalnum() or before in "$\\" or at + 1 >= end or source[at + 1].isspace():
        return -1
    stop = at
    while (stop := source.find("$", stop + 1, min(end, at + MAX_LENGTH))) > 0:
        if "\n" in source[at:stop]:
            return -1
        if source[stop - 1] == "\\":
            continue
        after = source[stop + 1] if stop + 1 < end else " "
        return -1 if source[stop - 1].isspace() or after.isalnum() or after == "$" else stop
    return -1
