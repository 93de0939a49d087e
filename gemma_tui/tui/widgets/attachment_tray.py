"""The chips above the composer: what is attached, what it costs, and how to change that.

One line a chip, drawn by one widget. What there is, it inherits; it neither reads files nor stores
anything.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len, set_cell_size
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from gemma_tui.preprocessing.budget import AUTO, TOKEN_BUDGETS
from gemma_tui.region import grid_field
from gemma_tui.sanitize import sanitize_line
from gemma_tui.tui.themes import chosen_style
from gemma_tui.tui.widgets.chip_text import describe
from gemma_tui.tui.widgets.held_attachments import HeldAttachments

if TYPE_CHECKING:
    from textual import events
    from textual.geometry import Size

    from gemma_tui.conversation import Attachment
    from gemma_tui.preprocessing.budget import TokenBudget
    from gemma_tui.region import Region

_REMOVE: Final = " ×"
_FIELDS: Final = "123456789"
"""Keys that cut a picture into three rows of three, as one reads."""


class AttachmentTray(HeldAttachments, can_focus=True):
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
        Binding(
            "r",
            "choose_parts",
            "Choose pages, lines, a part of a sound, frames",
            show=False,
            id="chips.range",
        ),
        Binding("enter,o", "open", "Open a text in the composer", show=False, id="chips.open"),
        Binding("t", "transcribe", "Write a sound down", show=False, id="chips.transcribe"),
    ]

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

    class TranscriptWanted(Message):
        """The chosen sound is to be written down, or not any more."""

    def __init__(self) -> None:
        super().__init__()
        self._reasons: dict[str, str] = {}
        """Why the program chose a picture's budget, by sha256; empty until it has."""

    def render(self) -> Content:
        """The visible rows: a window around the chip under the cursor."""
        return Content("\n").join(self._row(row) for row in self._visible_rows)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """One row a chip."""
        return self._row_count

    def on_click(self, event: events.Click) -> None:
        """Choose a chip; its cost is a button for the next budget, its cross removes it."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        index = offset.y + self._visible_rows.start
        if index >= len(self.attachments):
            return
        self.cursor = index
        head, tail = self._fit(index, self._row_width(index))
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

    def action_choose_parts(self) -> None:
        """Ask which parts of the chosen file are sent."""
        if self.chosen is not None:
            self.post_message(self.PartsRequested(self.chosen))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Whether a key does something now: only what can be heard can be written down."""
        return action != "transcribe" or self.sound is not None

    def action_transcribe(self) -> None:
        """Ask for the words of the chosen sound."""
        self.post_message(self.TranscriptWanted())

    def action_open(self) -> None:
        """Ask for the chosen text in the composer."""
        if self.attachments and self.attachments[self.cursor].kind == "text":
            self.post_message(self.OpenRequested(self.attachments[self.cursor]))

    def action_restore(self) -> None:
        """Undo the last removal."""
        self.restore()

    @property
    def _row_count(self) -> int:
        return len(self.attachments) + len(self.pending) + len(self._other_work)

    @property
    def _visible_rows(self) -> range:
        height = max(1, self.content_size.height)
        start = max(0, self.cursor - height + 1)
        return range(start, min(start + height, self._row_count))

    def _more(self, row: int) -> str:
        """At the right of the first or last visible row: how many are hidden beyond it."""
        visible = self._visible_rows
        above = visible.start if row == visible.start else 0
        below = self._row_count - visible.stop if row == visible.stop - 1 else 0
        hidden = [f"{arrow} {count}" for arrow, count in (("↑", above), ("↓", below)) if count]
        return f"  {' '.join(hidden)} more" if hidden else ""

    def _row_width(self, row: int) -> int:
        return self.content_size.width - cell_len(self._more(row))

    def _row(self, row: int) -> Content:
        width, more = self._row_width(row), self._more(row)
        if row < len(self.attachments):
            content = self._chip(row, width)
        else:
            waiting = [(name, "reading") for name in self.pending] + self._other_work
            name, words = waiting[row - len(self.attachments)]
            text = _cut(f"⋯ {sanitize_line(name)} · {words}", width)
            content = Content.styled(text, "$foreground 75%")
        padding = " " * max(0, width - content.cell_length) if more else ""
        return Content.assemble(content, padding, (more, "$foreground 75%"))

    def _fit(self, index: int, width: int) -> tuple[str, str]:
        item = self.attachments[index]
        chip = describe(item, self._reasons.get(item.sha256))
        if words := self._work_on(item):
            chip = replace(chip, size="", shape="", note="", cost=words)
        return chip.fit(width - len(_REMOVE))

    def _chip(self, index: int, width: int) -> Content:
        head, tail = self._fit(index, width)
        chosen = self.has_focus and index == self.cursor
        style = chosen_style(self.app) if chosen else "$foreground"
        muted = chosen_style(self.app) if chosen else "$foreground 75%"
        return Content.assemble((head, style), (tail, muted), (_REMOVE, "$foreground 75%"))


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, max(0, width - 1)) + "…"
