"""An editor for a text of several lines, with the presets that can begin it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, TextArea
from textual.widgets.option_list import Option

from gemma_tui.errors import GemmaError
from gemma_tui.sanitize import sanitize, sanitize_line
from gemma_tui.tui.screens.dialogue import Dialogue
from gemma_tui.tui.widgets.line_input import LineInput
from gemma_tui.tui.widgets.paged_list import PagedList
from gemma_tui.tui.widgets.short_text import ShortText

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from gemma_tui.settings.configuration import Configuration
    from gemma_tui.settings.setting import Setting

KEYS = "Ctrl+S keep · F6 save as a preset · Esc leave"


class ProseScreen(Dialogue[str | None]):
    """Presets on the left, the text on the right; returns the text, or None to change nothing.

    Args:
        setting: What is written.
        text: What it says now.
        configuration: Has the presets.
    """

    CSS_PATH = "prose.tcss"
    AUTO_FOCUS = "TextArea"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Leave", priority=True, id="prose.back"),
        Binding("ctrl+s", "keep", "Keep", priority=True, id="prose.keep"),
        Binding("f6", "name_preset", "Save as a preset", priority=True, id="prose.name_preset"),
        Binding(
            "delete", "remove_preset", "Remove the preset", show=False, id="prose.remove_preset"
        ),
    ]

    def __init__(self, setting: Setting, text: str, configuration: Configuration) -> None:
        super().__init__()
        self._setting = setting
        self._configuration = configuration
        self._kept = text.strip()
        self._area = TextArea(text, soft_wrap=True, compact=True)
        self._presets = PagedList(markup=False, compact=True)
        self._name_field = LineInput(placeholder="Name of the preset", id="name", compact=True)
        self._note = ShortText(name="note")
        self._names: list[str] = []

    def compose(self) -> ComposeResult:
        """Presets, text, and the name of a new preset."""
        with Vertical(id="panel") as panel:
            panel.border_title = self._setting.about.label
            panel.border_subtitle = KEYS
            with Horizontal():
                yield self._presets
                yield self._area
            yield self._name_field
            yield self._note

    def on_mount(self) -> None:
        """Show the presets."""
        self._area.cursor_blink = False
        self._name_field.display = False
        self._show_presets()
        self._tell("Tab goes to the presets, Enter there takes one over.")

    def on_paste(self, event: events.Paste) -> None:
        """What the text took is not for the composer, too; Textual (8.2.8) lets it go on."""
        if self._area.has_focus:
            event.stop()

    def action_back(self) -> None:
        """Leave the name, then the screen."""
        if self._name_field.display:
            self._hide_name()
        elif self._area.text.strip() != self._kept:
            self._kept = self._area.text.strip()  # asked once for this text
            self._tell("It is not kept yet: Ctrl+S keeps it, Esc again leaves without it.")
        else:
            self.dismiss(None)

    def action_keep(self) -> None:
        """Leave with the text."""
        self.dismiss(self._area.text.strip())

    def action_name_preset(self) -> None:
        """Ask for a name."""
        if not self._area.text.strip():
            self._tell("There is no text to save yet.")
            return
        self._name_field.display = True
        self._name_field.focus()

    async def action_remove_preset(self) -> None:
        """Take the user's own preset out."""
        index = self._presets.highlighted
        if not self._presets.has_focus or index is None:
            return
        name = self._names[index]
        if not self._configuration.is_own_preset(name):
            self._tell(f"“{name}” comes with the program and stays.")
            return
        await self._save(name, "", f"“{name}” is removed.")

    @on(OptionList.OptionSelected)
    def _taken(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        text = self._configuration.presets[self._names[event.option_index]]
        # An edit, so that Ctrl+Z brings back what was there.
        self._area.replace(text, (0, 0), self._area.document.end)
        self._area.focus()

    @on(Input.Submitted)
    async def _named(self, event: Input.Submitted) -> None:
        name = sanitize_line(event.value).strip()
        if not name:
            self._tell("A preset needs a name.")
            return
        await self._save(name, self._area.text.strip(), f"Saved as “{name}”.")
        self._hide_name()

    async def _save(self, name: str, text: str, done: str) -> None:
        try:
            await self._configuration.set_preset(name, text)
        except GemmaError as error:
            self._tell(str(error))
        else:
            self._show_presets()
            self._tell(done)

    def _hide_name(self) -> None:
        self._name_field.value = ""
        self._name_field.display = False
        self._area.focus()

    def _show_presets(self) -> None:
        kept = self._presets.highlighted
        self._names = list(self._configuration.presets)
        self._presets.set_options(Option(Content(sanitize_line(n))) for n in self._names)
        self._presets.highlighted = min(kept or 0, len(self._names) - 1)

    def _tell(self, sentence: str) -> None:
        self._note.update(sanitize(sentence))
