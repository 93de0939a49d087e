"""The chips above the composer: what is attached, what it costs, and how to change that.

One line a chip, drawn by one widget. It holds the attachments of the draft; it neither reads files
nor stores anything.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from gemma_tui.preprocessing.budget import AUTO, TOKEN_BUDGETS
from gemma_tui.region import grid_field
from gemma_tui.sanitize import sanitize_line
from gemma_tui.tui.themes import chosen_style
from gemma_tui.tui.widgets.chip_text import describe

if TYPE_CHECKING:
    from collections.abc import Collection

    from textual import events
    from textual.geometry import Size

    from gemma_tui.conversation import Attachment
    from gemma_tui.preprocessing.budget import TokenBudget
    from gemma_tui.region import Region

_REMOVE: Final = " ×"
_FIELDS: Final = "123456789"
"""Keys that cut a picture into three rows of three, as one reads."""


class AttachmentTray(Widget, can_focus=True):
    """The attachments of the draft, and the names of files still being read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,up", "move(-1)", "Previous", show=False, id="chips.previous"),
        Binding("right,down", "move(1)", "Next", show=False, id="chips.next"),
        Binding("f4,plus", "change_budget(1)", "Next budget", show=False, id="chips.more_tokens"),
        Binding(
            "minus", "change_budget(-1)", "Previous budget", show=False, id="chips.fewer_tokens"
        ),
        Binding("delete,backspace", "remove", "Remove", show=False, id="chips.remove"),
        Binding("ctrl+z,u", "restore", "Undo removal", show=False, id="chips.restore"),
        *(
            Binding(n, f"cut({n})", f"Attach field {n} of 9", show=False, id=f"chips.field_{n}")
            for n in _FIELDS
        ),
        Binding("r", "choose_parts", "Choose pages", show=False, id="chips.range"),
        Binding("enter,o", "open", "Open a text in the composer", show=False, id="chips.open"),
    ]

    class Changed(Message):
        """An attachment was added, removed or given another budget."""

    class AutoRequested(Message):
        """The budget that suits a picture is wanted: answer with `show_auto`."""

        def __init__(self, attachment: Attachment) -> None:
            super().__init__()
            self.attachment = attachment

    class CutRequested(Message):
        """A part of a picture is wanted as a picture of its own."""

        def __init__(self, attachment: Attachment, region: Region) -> None:
            super().__init__()
            self.attachment, self.region = attachment, region

    class PartsRequested(Message):
        """Other parts of a file are to be chosen."""

        def __init__(self, attachment: Attachment) -> None:
            super().__init__()
            self.attachment = attachment

    class OpenRequested(Message):
        """The user wants an attached text in the composer."""

        def __init__(self, attachment: Attachment) -> None:
            super().__init__()
            self.attachment = attachment
            """The text."""

    attachments: reactive[tuple[Attachment, ...]] = reactive((), layout=True)
    """In the order in which they were attached."""
    pending: reactive[tuple[str, ...]] = reactive((), layout=True)
    """Names of files being copied and looked into."""
    cursor: reactive[int] = reactive(0)
    """The chip that keys act on."""

    def __init__(self) -> None:
        super().__init__()
        self._removed: list[tuple[int, Attachment]] = []
        self._reasons: dict[str, str] = {}
        """Why the program chose a picture's budget, by sha256; empty until it has."""
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

    def change_budgets(self, pictures: Collection[str], before: int, after: int) -> None:
        """Give pictures another budget, except where the user chose one.

        Args:
            pictures: Their sha256.
            before: The budget that nobody chose.
            after: The budget in its place.
        """
        changed = tuple(
            replace(item, token_budget=after)
            if item.sha256 in pictures and item.token_budget == before
            else item
            for item in self.attachments
        )
        if changed != self.attachments:
            self.attachments = changed
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

    def render(self) -> Content:
        """The visible rows: a window around the chip under the cursor."""
        width, height = self.content_size
        rows = [self._chip(index, width) for index in range(len(self.attachments))]
        rows += [
            Content.styled(f"⋯ {sanitize_line(name)} · reading", "$foreground 75%")
            for name in self.pending
        ]
        start = self._first_row(height)
        return Content("\n").join(rows[start : start + max(1, height)])

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """One row a chip."""
        return len(self.attachments) + len(self.pending)

    def watch_attachments(self) -> None:
        """Keep the cursor on a chip."""
        self.cursor = max(0, min(self.cursor, len(self.attachments) - 1))
        self.display = bool(self.attachments or self.pending)

    def watch_pending(self) -> None:
        """Show the tray while anything is in it."""
        self.display = bool(self.attachments or self.pending)

    def on_click(self, event: events.Click) -> None:
        """Choose a chip; its cost is a button for the next budget, its cross removes it."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        index = offset.y + self._first_row(self.content_size.height)
        if index >= len(self.attachments):
            return
        self.cursor = index
        head, tail = self._fit(index, self.content_size.width)
        cost_end = cell_len(head) + cell_len(tail)
        if offset.x >= cost_end:
            if offset.x <= cost_end + len(_REMOVE):
                self.action_remove()
        elif offset.x >= cost_end - cell_len(describe(self.attachments[index]).cost):
            self.action_change_budget(1)

    def action_move(self, step: int) -> None:
        """Choose the chip before or after."""
        self.cursor = max(0, min(self.cursor + step, len(self.attachments) - 1))

    def action_change_budget(self, step: int) -> None:
        """Give the chosen picture the next budget; behind the largest comes the one that suits."""
        picture = self.picture
        if picture is not None:
            order: tuple[TokenBudget, ...] = (*TOKEN_BUDGETS, AUTO)
            now = AUTO if picture.sha256 in self._reasons else picture.token_budget
            self.set_budget(order[(order.index(now) + step) % len(order)])

    def set_budget(self, budget: TokenBudget) -> bool:
        """Give the chosen picture this budget; False if none is chosen."""
        picture = self.picture
        if picture is None:
            return False
        if budget == "auto":
            self._reasons[picture.sha256] = ""
            self.post_message(self.AutoRequested(picture))
            self.refresh()
            return True
        self._reasons.pop(picture.sha256, None)
        self._put(self.cursor, replace(picture, token_budget=budget))
        return True

    def show_auto(self, sha256: str, budget: int, reason: str) -> None:
        """Give a picture the budget that was found for it, unless the user chose one meanwhile."""
        if sha256 in self._reasons:
            self._reasons[sha256] = reason
            self.attachments = tuple(
                replace(item, token_budget=budget) if item.sha256 == sha256 else item
                for item in self.attachments
            )
            self.refresh()
            self.post_message(self.Changed())

    def action_cut(self, field: int) -> None:
        """Ask for one of nine fields of the chosen picture."""
        if (picture := self.picture) is not None:
            self.post_message(self.CutRequested(picture, grid_field(field)))

    def action_remove(self) -> None:
        """Take the chosen chip off the draft; `restore` brings it back."""
        if not self.attachments:
            return
        self._removed.append((self.cursor, self.attachments[self.cursor]))
        self._put(self.cursor)

    def take_off(self, attachment: Attachment) -> bool:
        """Remove one for good; False if it is not here."""
        if attachment not in self.attachments:
            return False
        self._put(self.attachments.index(attachment))
        return True

    def put_in_place(self, before: Attachment, after: Attachment) -> bool:
        """Show an attachment in another form; False if it is not here any more."""
        if before not in self.attachments:
            return False
        self._put(self.attachments.index(before), after)
        return True

    def action_choose_parts(self) -> None:
        """Ask which parts of the chosen file are sent."""
        if self.chosen is not None:
            self.post_message(self.PartsRequested(self.chosen))

    def action_open(self) -> None:
        """Ask for the chosen text in the composer."""
        if self.attachments and self.attachments[self.cursor].kind == "text":
            self.post_message(self.OpenRequested(self.attachments[self.cursor]))

    def action_restore(self) -> None:
        """Undo the last removal."""
        self.restore()

    def _put(self, index: int, *items: Attachment) -> None:
        """These in place of the one at `index`."""
        self.attachments = (*self.attachments[:index], *items, *self.attachments[index + 1 :])
        self.post_message(self.Changed())

    def _first_row(self, height: int) -> int:
        return max(0, self.cursor - max(1, height) + 1)

    def _fit(self, index: int, width: int) -> tuple[str, str]:
        item = self.attachments[index]
        return describe(item, self._reasons.get(item.sha256)).fit(width - len(_REMOVE))

    def _chip(self, index: int, width: int) -> Content:
        head, tail = self._fit(index, width)
        chosen = self.has_focus and index == self.cursor
        style = chosen_style(self.app) if chosen else "$foreground"
        muted = chosen_style(self.app) if chosen else "$foreground 75%"
        return Content.assemble((head, style), (tail, muted), (_REMOVE, "$foreground 75%"))
