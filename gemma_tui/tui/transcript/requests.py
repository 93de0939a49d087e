"""What the reader asks for with the cursor on a message; the screen does it."""

from __future__ import annotations

from typing import Literal, TypeAlias

from textual.message import Message as TextualMessage

ActionKind: TypeAlias = Literal[
    "answer", "closer", "continue", "branch", "delete", "undo", "older", "newer", "leave"
]
"""Answer again, the same with more tokens for the pictures, go on where it was cut off, ask
something else from here, delete it with what follows, undo that, the sibling before, the one after,
back to the composer."""


class MessageRequest(TextualMessage):
    """Something is wanted of a message; what it is, the class says."""

    def __init__(self, message_id: int) -> None:
        super().__init__()
        self.message_id = message_id


class ActionRequested(MessageRequest):
    """Something is to be done with a message."""

    def __init__(self, kind: ActionKind, message_id: int) -> None:
        super().__init__(message_id)
        self.kind = kind


class EditRequested(MessageRequest):
    """A question is to be written anew; what follows it stays, as another branch."""


class PreviewRequested(MessageRequest):
    """An attachment is to be shown in small: answer with `Transcript.show_preview`."""

    def __init__(self, message_id: int, number: int) -> None:
        super().__init__(message_id)
        self.number = number
        """Its place among the attachments of the message."""


class CursorMoved(TextualMessage):
    """Another message is chosen, or none; or what can be done with it is different now."""


class FindEnded(TextualMessage):
    """What was looked in is not shown any more."""
