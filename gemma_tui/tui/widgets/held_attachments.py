"""The attachments of the draft as a list: added, taken off, brought back. Draws nothing.

The tray, which shows them, is made of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from gemma_tui.preprocessing.sound_cost import can_be_heard

if TYPE_CHECKING:
    from gemma_tui.conversation import Attachment


class HeldAttachments(Widget):
    """The attachments, what is still being read, and what is being done with them."""

    class Changed(Message):
        """An attachment was added, removed or given another budget."""

    attachments: reactive[tuple[Attachment, ...]] = reactive((), layout=True)
    """In the order in which they were attached."""
    pending: reactive[tuple[str, ...]] = reactive((), layout=True)
    """Names of files being copied and looked into."""
    cursor: reactive[int] = reactive(0)
    """The chip that keys act on."""

    def __init__(self) -> None:
        super().__init__()
        self._removed: list[tuple[int, Attachment]] = []
        self._work: dict[str, tuple[str, str]] = {}
        """What is being done with sounds: name and words, by sha256."""
        self.display = False

    @property
    def chosen(self) -> Attachment | None:
        """The chip that keys act on."""
        return self.attachments[self.cursor] if self.attachments else None

    @property
    def picture(self) -> Attachment | None:
        """The chosen chip, if it is a picture."""
        chosen = self.chosen
        return chosen if chosen is not None and chosen.kind == "image" else None

    @property
    def sound(self) -> Attachment | None:
        """The chosen chip, if it can be heard; else the last one that can."""
        if self.chosen is not None and can_be_heard(self.chosen):
            return self.chosen
        return next(filter(can_be_heard, reversed(self.attachments)), None)

    @property
    def can_restore(self) -> bool:
        """Whether a removed chip can come back."""
        return bool(self._removed)

    def load(self, attachments: tuple[Attachment, ...]) -> None:
        """Show the attachments of another draft."""
        self._removed.clear()
        self.cursor = 0
        self.attachments = attachments

    def add(self, attachment: Attachment) -> None:
        """Append one."""
        self.attachments = (*self.attachments, attachment)
        self.cursor = len(self.attachments) - 1
        self.post_message(self.Changed())

    def restore(self) -> bool:
        """Bring the chip back that was removed last; False if there is none."""
        if not self._removed:
            return False
        index, attachment = self._removed.pop()
        kept = self.attachments
        self.attachments = (*kept[:index], attachment, *kept[index:])
        self.cursor = index
        self.post_message(self.Changed())
        return True

    def take_off(self, attachment: Attachment) -> bool:
        """Remove one for good; False if it is not here."""
        if attachment not in self.attachments:
            return False
        self._put(self.attachments.index(attachment))
        return True

    def put_in_place(
        self, before: Attachment, after: Attachment, *, can_undo: bool = False
    ) -> bool:
        """Show an attachment in another form; False if it is not here any more.

        Args:
            before: As it was.
            after: As it is to be.
            can_undo: Whether `restore` brings back what was there, beside the other.
        """
        if before not in self.attachments:
            return False
        if can_undo:
            self._removed.append((self.attachments.index(before), before))
        self._put(self.attachments.index(before), after)
        return True

    def show_work(self, sha256: str, name: str, words: str) -> None:
        """Say what is being done with a sound, on its chip or in a line of its own.

        Args:
            sha256: Of the sound.
            name: What it is called, for a sound that is not here.
            words: What is being done; empty: nothing any more.
        """
        if words:
            self._work[sha256] = name, words
        else:
            self._work.pop(sha256, None)
        self._show_if_needed()
        self.refresh(layout=True)

    def watch_attachments(self) -> None:
        """Keep the cursor on a chip."""
        self.cursor = max(0, min(self.cursor, len(self.attachments) - 1))
        self._show_if_needed()

    def watch_pending(self) -> None:
        """Show the tray while anything is in it."""
        self._show_if_needed()

    def _put(self, index: int, *items: Attachment) -> None:
        """These in place of the one at `index`."""
        self.attachments = (*self.attachments[:index], *items, *self.attachments[index + 1 :])
        self.post_message(self.Changed())

    def _work_on(self, item: Attachment) -> str:
        """What is being done with an attachment; empty: nothing."""
        return self._work.get(item.sha256, ("", ""))[1]

    @property
    def _other_work(self) -> list[tuple[str, str]]:
        """Work on sounds that are not among the attachments."""
        here = {item.sha256 for item in self.attachments}
        return [row for sha256, row in self._work.items() if sha256 not in here]

    def _show_if_needed(self) -> None:
        self.display = bool(self.attachments or self.pending or self._work)
