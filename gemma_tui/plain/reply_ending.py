"""What is said when a reply has ended otherwise than by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.conversation import MessageState

if TYPE_CHECKING:
    from gemma_tui.conversation import Message


def ending_sentence(reply: Message | None) -> str:
    """Why a reply is no longer, and what can be done; empty if there is nothing to say.

    Args:
        reply: As it is stored; None if it was stopped before anything was.
    """
    if reply is None:
        return "Stopped. Nothing was sent."
    if reply.state is MessageState.CANCELLED:
        return "Stopped. /continue goes on, /retry answers again."
    if reply.finish_reason == "length":
        return "The answer is as long as it may be. /continue goes on."
    return ""
