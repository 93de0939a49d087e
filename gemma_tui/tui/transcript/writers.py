"""Where in a conversation another model begins to answer. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gemma_tui.conversation import Message


def former_models(messages: Iterable[Message]) -> dict[int, str]:
    """By id of a reply whose model did not write the reply before it: the model that did.

    Args:
        messages: A branch. A reply whose model is not known yet, or never was, changes nothing.
    """
    found: dict[int, str] = {}
    last = ""
    for message in messages:
        if message.role == "model" and message.model:
            if last and message.model != last:
                found[message.id] = last
            last = message.model
    return found
