"""The settings panel (F2): every setting of the schema, for all conversations or for the open one.

A change holds at once. Nothing here knows a particular setting but by its kind; those that need
more room than a line have a screen of their own.
"""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from gemma_tui.errors import GemmaError, SettingsError
from gemma_tui.paths import expand
from gemma_tui.sanitize import sanitize
from gemma_tui.settings.schema import SCHEMA
from gemma_tui.tui.availability import notes, who_answers, why_fixed, why_idle
from gemma_tui.tui.preferences import following
from gemma_tui.tui.screens.dialogue import Dialogue
from gemma_tui.tui.stepping import stepped
from gemma_tui.tui.widgets.line_input import LineInput
from gemma_tui.tui.widgets.scope_switch import ScopeSwitch
from gemma_tui.tui.widgets.settings_list import SettingsList
from gemma_tui.tui.widgets.short_text import ShortText

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from textual.app import ComposeResult

    from gemma_tui.engine.interface import Engine
    from gemma_tui.settings.configuration import Resolved
    from gemma_tui.settings.setting import Setting, Value
    from gemma_tui.tui.preferences import Preferences, Scope

KEYS = "Enter change · ←→ step · Del reset · F3 scope · Esc"


class SettingsScreen(Dialogue[None]):
    """Search field, scope, one row for each setting, and what there is to know about it.

    Args:
        preferences: What is shown and changed.
        engine: Its model decides what is of no use.
        choose_model: Shows the models.
    """

    CSS_PATH = "settings.tcss"
    AUTO_FOCUS = "SettingsList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Close", priority=True, id="settings.back"),
        Binding("f2", "dismiss", "Close", priority=True, id="settings.close"),
        Binding(
            "f3",
            "change_scope",
            "For all, or for this conversation",
            priority=True,
            id="settings.change_scope",
        ),
        Binding("down", "to_list", "To the list", show=False, id="settings.to_list"),
    ]

    def __init__(
        self, preferences: Preferences, engine: Engine, choose_model: Callable[[Scope], None]
    ) -> None:
        super().__init__()
        self._preferences = preferences
        self._engine = engine
        self._choose_model = choose_model
        self._list = SettingsList()
        self._scope = ScopeSwitch()
        self._search = LineInput(
            placeholder="Type to find a setting", id="search", compact=True, select_on_focus=False
        )
        self._about = ShortText(name="about")
        self._editor = LineInput(id="editor", compact=True)
        self._edited: Setting | None = None
        self._problem = ""

    def compose(self) -> ComposeResult:
        """The panel."""
        with Vertical(id="panel") as panel:
            panel.border_title = "Settings"
            panel.border_subtitle = KEYS
            with Horizontal(id="top"):
                yield self._search
                yield self._scope
            yield self._list
            yield self._editor
            yield self._about

    def on_mount(self) -> None:
        """Follow the settings and the engine."""
        self._editor.display = False
        self._unwatch = (
            self._preferences.configuration.watch(self._show),
            self._engine.watch(lambda _: self._show()),
        )
        self._show()

    def on_unmount(self) -> None:
        """Stop listening."""
        for unwatch in self._unwatch:
            unwatch()

    def action_back(self) -> None:
        """Leave the editor, then the search, then the panel."""
        if self._edited is not None:
            self._end_editing()
        elif self._search.value:
            self._search.value = ""
            self._list.focus()
        else:
            self.dismiss()

    def action_change_scope(self) -> None:
        """For all conversations, or for the open one."""
        self._scope.action_change()

    def action_to_list(self) -> None:
        """From the search field to the rows."""
        if self._edited is None:
            self._list.focus()

    @property
    def _shown(self) -> Resolved:
        own = self._scope.scope == "conversation"
        return self._preferences.resolved if own else self._preferences.configuration.resolve()

    def _show(self) -> None:
        model, scope, shown = self._engine.state.model, self._scope.scope, self._shown
        here = self._preferences.resolved
        muted = {
            key: bool(why_fixed(setting, shown, scope) or why_idle(setting, here, model))
            for key, setting in SCHEMA.items()
        }
        self._list.show(shown, muted, self._search.value)
        self._show_about()

    def _show_about(self) -> None:
        setting = SCHEMA.get(self._list.key or "")
        if setting is None:
            self._about.update("No setting has these words." if self._search.value else "")
            return
        general = self._preferences.configuration.resolve()
        model = self._engine.state.model
        said = notes(setting, self._preferences.resolved, general, model, self._scope.scope)
        bounds = setting.bounds if setting.kind in {"integer", "number"} else ""
        facts = [f"Default: {setting.words(setting.default)}"]
        facts += [f"{bounds[0].upper()}{bounds[1:]}"] if bounds else []
        if setting.key == "model":
            foreign, wanted = self._preferences.foreign_model, self._preferences.model_folder
            said = " ".join(filter(None, (who_answers(foreign, wanted, model), said)))
        lines = [setting.about.help, said, " · ".join(facts)]
        if self._problem:
            lines = [f"! {self._problem}", " · ".join(facts)]
        self._about.update(sanitize("\n".join(filter(None, lines))))

    @on(ScopeSwitch.Changed)
    def _scope_changed(self) -> None:
        self._end_editing()
        self._show()

    @on(Input.Changed, "#search")
    def _search_changed(self) -> None:
        self._show()

    @on(Input.Submitted, "#search")
    def _search_done(self) -> None:
        self._list.focus()

    def take_typed(self, text: str) -> None:
        """Letters look for a setting."""
        self.set_focus(self._search)
        self._search.insert_text_at_cursor(text)

    @on(SettingsList.OptionHighlighted)
    def _moved(self) -> None:
        self._problem = ""
        self._show_about()

    @on(SettingsList.Chosen)
    def _chosen(self, event: SettingsList.Chosen) -> None:
        setting = SCHEMA[event.key]
        if self._is_fixed(setting):
            return
        if setting.kind in {"switch", "choice"}:
            self._change(setting, following(setting.key, self._shown.value(setting.key), 1))
        elif setting.key == "model":
            self._choose_model(self._scope.scope)
        elif setting.about.is_prose:
            self._open_prose(setting)
        else:
            self._begin_editing(setting)

    @on(SettingsList.Stepped)
    def _stepped(self, event: SettingsList.Stepped) -> None:
        setting = SCHEMA[event.key]
        if not self._is_fixed(setting):
            value = self._shown.value(setting.key)
            if setting.kind in {"switch", "choice"}:
                self._change(setting, following(setting.key, value, event.step))
            elif setting.kind in {"integer", "number"}:
                self._change(setting, stepped(setting, value, event.step))

    @on(SettingsList.ResetRequested)
    def _reset(self, event: SettingsList.ResetRequested) -> None:
        if not self._is_fixed(SCHEMA[event.key]):
            self._perform(self._preferences.reset(event.key, self._scope.scope))

    def _is_fixed(self, setting: Setting) -> bool:
        self._problem = why_fixed(setting, self._shown, self._scope.scope)
        self._show_about()
        return bool(self._problem)

    def _begin_editing(self, setting: Setting) -> None:
        self._edited = setting
        value = self._shown.value(setting.key)
        self._editor.value = "" if value is None else str(value)
        self._editor.placeholder = setting.about.unset
        self._editor.border_title = setting.about.label
        self._editor.display = True
        self._editor.focus()

    def _end_editing(self) -> None:
        self._edited, self._problem = None, ""
        self._editor.display = False
        self._list.focus()
        self._show_about()

    @on(Input.Submitted, "#editor")
    async def _edited_value(self, event: Input.Submitted) -> None:
        setting = self._edited
        if setting is None:
            return
        try:
            value = setting.parse(event.value)
            if setting.kind == "folder" and value:
                await asyncio.to_thread(_require_folder, str(value))
        except SettingsError as error:
            self._problem = str(error)
            self._show_about()
        else:
            self._end_editing()
            self._change(setting, value)

    def _open_prose(self, setting: Setting) -> None:
        from gemma_tui.tui.screens.prose import ProseScreen  # noqa: PLC0415  # rarely used

        text = str(self._shown.value(setting.key) or "")
        screen = ProseScreen(setting, text, self._preferences.configuration)
        self.app.push_screen(screen, partial(self._prose_written, setting, text))

    def _prose_written(self, setting: Setting, before: str, text: str | None) -> None:
        if text is not None and text != before:
            self._change(setting, text)

    def _change(self, setting: Setting, value: Value) -> None:
        self._perform(self._preferences.set(setting.key, value, self._scope.scope))

    def _perform(self, work: Coroutine[Any, Any, None]) -> None:
        self.run_worker(self._guard(work))

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        self._problem = ""
        try:
            await work
        except GemmaError as error:
            self._problem = str(error)
            self._show()


def _require_folder(name: str) -> None:
    if not os.path.isdir(expand(name)):  # noqa: PTH112  # it never raises
        raise SettingsError(f"There is no folder {name}.", "Type its whole path.")
