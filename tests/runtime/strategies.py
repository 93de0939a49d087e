"""Texts that try to become control tokens."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.runtime.vocabulary import CONTROL_NAMES

_FRAGMENTS = (
    "<",
    "<|",
    "|>",
    ">",
    "|",
    "turn",
    "image",
    "thought",
    "channel",
    "bos",
    "user",
    "model",
)
_ORDINARY = (
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    "\r\n",
    "\u00a0",
    "a",
    "What is this?",
    "é",
    "世",
    "🙂",
    "\x00",
    "7",
)

hostile_texts = st.lists(
    st.sampled_from((*CONTROL_NAMES, *_FRAGMENTS, *_ORDINARY)) | st.characters(codec="utf-8"),
    max_size=8,
).map("".join)
"""Names of control tokens, whole and in pieces, between ordinary text."""

plain_texts = hostile_texts.filter(lambda text: not any(name in text for name in CONTROL_NAMES))
"""The same without any complete name, so that every reading of them is the same."""
