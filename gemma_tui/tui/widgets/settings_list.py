"""A row for every setting: label, value, origin. Made from the schema; knows no stores.

It says what the user wants done with which setting; what that means is its screen's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len, set_cell_size
from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from gemma_tui.sanitize import sanitize_line
from gemma_tui.settings.configuration import Origin
from gemma_tui.settings.schema import SCHEMA
from gemma_tui.settings.sections import SECTIONS
from gemma_tui.tui.widgets.paged_list import PagedList

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from textual import events

    from gemma_tui.settings.configuration import Resolved
    from gemma_tui.settings.setting import Setting

_LABEL_WIDTH: Final = 26
_LEAST_VALUE_WIDTH: Final = 20
"""Where a value would have less, its origin is left out; what is not the default is bold."""

_ORIGIN_WIDTH: Final = max(len(origin) for origin in Origin)


class SettingsList(PagedList):
    """Up and Down choose, Enter changes, Left and Right step, Delete resets."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "select", "Change", show=False, id="settings.change"),
        Binding("left,minus", "step(-1)", "Less", show=False, id="settings.less"),
        Binding("right,plus", "step(1)", "More", show=False, id="settings.more"),
        Binding("delete,backspace", "reset", "Reset", show=False, id="settings.reset"),
    ]

    class Chosen(Message):
        """Enter or a click on a setting."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key
            """Which."""

    class Stepped(Message):
        """The next or the previous value is wanted."""

        def __init__(self, key: str, step: int) -> None:
            super().__init__()
            self.key = key
            """Which."""
            self.step = step
            """1 or -1."""

    class ResetRequested(Message):
        """The value is to be what it would be without the user."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key
            """Which."""

    def __init__(self) -> None:
        super().__init__(markup=False, compact=True)
        self._resolved: Resolved | None = None
        self._muted: Mapping[str, bool] = {}
        self._filter = ""

    @property
    def key(self) -> str | None:
        """The setting under the cursor."""
        option = self.highlighted_option
        return option.id if option is not None else None

    def show(self, resolved: Resolved, muted: Mapping[str, bool], words: str = "") -> None:
        """Replace the rows; the cursor stays on its setting.

        Args:
            resolved: Values and origins.
            muted: The settings that are off or do nothing.
            words: Only settings whose label, key or help has all of these are shown.
        """
        self._resolved, self._muted, self._filter = resolved, muted, words
        kept = self.key
        self.set_options(list(self._rows()))
        ids = [option.id for option in self.options]
        if kept is not None and kept in ids:
            self.highlighted = ids.index(kept)
        else:
            self.action_first()

    def on_resize(self, event: events.Resize) -> None:
        """Rows are cut to the width."""
        del event
        if self._resolved is not None:
            self.show(self._resolved, self._muted, self._filter)

    def action_step(self, step: int) -> None:
        """Ask for the next or the previous value."""
        if self.key:
            self.post_message(self.Stepped(self.key, step))

    def action_reset(self) -> None:
        """Ask for the value without the user's."""
        if self.key:
            self.post_message(self.ResetRequested(self.key))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_id is not None:
            self.post_message(self.Chosen(event.option_id))

    def _rows(self) -> Iterator[Option]:
        heading = ""
        for setting in SCHEMA.values():
            if not setting.about.is_listed or not matches(setting, self._filter):
                continue
            section = SECTIONS[setting.about.section]
            if section != heading:
                heading = section
                yield Option(Content.styled(section, "bold $primary"), disabled=True)
            yield Option(self._row(setting), id=setting.key)

    def _row(self, setting: Setting) -> Content:
        assert self._resolved is not None
        value = sanitize_line(setting.words(self._resolved.value(setting.key)))
        origin = self._resolved.origins[setting.key]
        width = max(20, self.scrollable_content_region.width - 1)
        has_origin = width >= _LABEL_WIDTH + _ORIGIN_WIDTH + _LEAST_VALUE_WIDTH
        room = width - _LABEL_WIDTH - 2 - (_ORIGIN_WIDTH + 1 if has_origin else 0)
        if cell_len(value) > room:
            value = set_cell_size(value, room - 1).rstrip() + "…"
        is_muted = self._muted.get(setting.key, False)
        is_default = origin is Origin.DEFAULT
        strong = "italic $text-disabled" if is_muted else "$foreground" if is_default else "bold"
        parts: list[str | tuple[str, str]] = [
            (
                f"  {setting.about.label:<{_LABEL_WIDTH}}",
                "italic $text-disabled" if is_muted else "",
            ),
            (value + " " * max(0, room - cell_len(value)), strong),
        ]
        if has_origin:
            parts.append((f" {origin:<{_ORIGIN_WIDTH}}", "$foreground 75%"))
        return Content.assemble(*parts)


def matches(setting: Setting, words: str) -> bool:
    """Whether a setting has all these words, in whatever case."""
    about = setting.about
    text = " ".join((about.label, setting.path, about.help, SECTIONS[about.section])).lower()
    return all(word in text for word in words.lower().split())
