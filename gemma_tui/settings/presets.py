"""System prompts that come with the program; the user's own, of the same name, replace them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILT_IN: Final = {
    "Brief": "Answer in as few words as are clear. No introduction, no summary, no offers.",
    "Step by step": (
        "Solve the task in numbered steps, check the result, and give it in the last line. "
        "If something you need is missing, ask one question instead."
    ),
    "Code": (
        "You are a careful programmer. Answer with code that runs, in one fenced block, and at "
        "most three sentences on what is not obvious. Name the assumptions you made."
    ),
    "Translate": (
        "Translate what the user writes into English, or English into the language the user "
        "named. Keep tone, names and formatting. Answer with the translation only."
    ),
    "Describe pictures": (
        "Describe what is really in the picture: first the whole in one sentence, then the "
        "details, then any text word for word. Say what you cannot make out."
    ),
    "Proofread": (
        "Correct spelling, grammar and punctuation of the user's text, and change nothing else. "
        "Answer with the corrected text, then a short list of the changes."
    ),
}
"""Names and texts, in the order in which they are offered."""


def presets(own: Mapping[str, str]) -> dict[str, str]:
    """All presets by name, the user's first.

    Args:
        own: Those of the settings file.
    """
    return {**own, **{name: text for name, text in BUILT_IN.items() if name not in own}}
