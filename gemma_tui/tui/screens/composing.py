"""The half of the chat screen that deals with the draft: what is typed, attached, and asked for.

What commands do to a conversation is the business of `commanding`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.widgets import TextArea

from gemma_tui.conversation import Draft
from gemma_tui.errors import UsageError
from gemma_tui.frontend.commands import (
    looks_like_command,
    parse_call,
    plain_text,
    unknown_command,
)
from gemma_tui.frontend.dropped import may_be_dropped
from gemma_tui.tui.prompt_cost import Asked
from gemma_tui.tui.screens.commanding import CommandScreen
from gemma_tui.tui.widgets.attachment_tray import AttachmentTray
from gemma_tui.tui.widgets.completion_list import CompletionList
from gemma_tui.tui.widgets.composer import Composer
from gemma_tui.tui.widgets.composer_panel import ComposerPanel

if TYPE_CHECKING:
    from gemma_tui.engine.interface import Engine
    from gemma_tui.tui.attaching import Attaching
    from gemma_tui.tui.completing import Completing
    from gemma_tui.tui.fitting import DraftFitting
    from gemma_tui.tui.message_actions import MessageActions
    from gemma_tui.tui.pasting import Pasting
    from gemma_tui.tui.prompt_cost import PromptCost
    from gemma_tui.tui.question_history import QuestionHistory
    from gemma_tui.tui.recording import Recording


class ComposingScreen(CommandScreen):
    """Takes what the composer and the chips ask for. Its heir sets everything declared here."""

    has_begun: bool
    _engine: Engine
    _fitting: DraftFitting
    _attaching: Attaching
    _pasting: Pasting
    _recording: Recording
    _completing: Completing
    _questions: QuestionHistory
    _cost: PromptCost
    _messages: MessageActions
    _sends_when_ready: bool

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        text = event.text
        try:
            call = parse_call(text)
        except UsageError as error:
            self._panel.give_back(Draft(text))
            self.report(error)
            return
        if call is not None:
            self.perform(partial(self.run_call, call, text))
        elif Draft(text, self._panel.tray.attachments).is_empty:
            return
        elif self._panel.tray.pending or not self.has_begun or self.choosing.models.holds_back():
            self._sends_when_ready = True
            self._panel.give_back(Draft(text))
        elif may_be_dropped(text) or looks_like_command(text):
            self.perform(partial(self._attach_or_send, text))
        else:
            self._send(text)

    async def _attach_or_send(self, text: str) -> None:
        number = self._page.number
        self._panel.give_back(Draft(text))  # a disk may take its time, and the page may turn
        paths = await self._attaching.files_of(text)
        if number != self._page.number or self._panel.composer.text != text:
            return
        self._panel.composer.clear()
        if paths:
            await self._attaching.attach_typed(paths, text)
            return
        if looks_like_command(text):
            self._panel.give_back(Draft(text))
            raise unknown_command(text)
        self._send(plain_text(text))

    def _send(self, text: str) -> None:
        if self._messages.is_refused():
            self._panel.give_back(Draft(text))
            return
        self._panel.problem.tell("")
        draft = self._panel.take_with(text)
        self.desk.send(draft, self._options, self._panel.take_editing())

    @on(ComposerPanel.AllRead)
    def send_if_ready(self) -> None:
        """Enter was pressed too early: now is the time."""
        must_wait = self._panel.tray.pending or self.choosing.models.is_switching
        if self._sends_when_ready and self.has_begun and not must_wait:
            self._sends_when_ready = False
            self._panel.composer.submit()

    def model_settled(self) -> None:
        """As `ChoosingOwner`; of a model that was borrowed for a while the draft was not told."""
        self._fitting.model_changed(self._engine.state.model)
        self.send_if_ready()

    def take_typed(self, text: str) -> None:
        """What is typed where nothing can be written belongs into the composer."""
        self.set_focus(self._panel.composer)
        self._panel.composer.insert(text)

    def action_choose_chips(self) -> None:
        """Go to what is attached; with nothing there, stay: before the chips are the messages."""
        if self._panel.tray.attachments:
            self.set_focus(self._panel.tray)
        else:
            self.notify("Nothing is attached.", markup=False)

    def action_change_budget(self) -> None:
        """Next budget for the chosen chip."""
        if self._panel.tray.picture is None:
            self.notify("No picture is attached that a token budget could be for.", markup=False)
        self._panel.tray.action_change_budget(1)

    def action_attach(self) -> None:
        """Ask for a path."""
        from gemma_tui.tui.screens.path import PathScreen  # noqa: PLC0415  # rarely used

        question, typed = "Attach a picture, a sound or a text", self._attaching.refused_path
        self.app.push_screen(PathScreen(question, "attaches", typed), self._attach_typed)

    def action_paste_clipboard(self) -> None:
        """Attach a picture or files that are copied, else insert the text that is."""
        self._pasting.expect()
        self.perform(self._pasting.paste)

    def action_record(self) -> None:
        """Record into the draft."""
        self.perform(partial(self._recording.open, self.app))

    def _attach_typed(self, text: str | None) -> None:
        if text:
            self.perform(partial(self._attaching.attach_path, text))

    async def action_attach_named(self, argument: str) -> None:
        """Attach the file with this path, or ask for one."""
        if argument:
            await self._attaching.attach_path(argument)
        else:
            self.action_attach()

    def action_edit_question(self) -> None:
        """Edit the last question and ask it again in another branch."""
        if self._page.last_question is not None:
            self._messages.edit(self._page.last_question.id)

    @on(Composer.RecallRequested)
    def _recall_wanted(self) -> None:
        if self._panel.shown.is_empty and self._panel.editing is None:
            self.action_edit_question()

    def action_earlier_question(self) -> None:
        """Show what was asked before."""
        self.perform(partial(self._questions.move, 1))

    def action_later_question(self) -> None:
        """Show what was asked after that, at last what was being typed."""
        self.perform(partial(self._questions.move, -1))

    def take_key(self, key: str) -> bool:
        """Whether a key of the composer was meant for the list above it, or ends editing."""
        if self._completing.take_key(key):
            return True
        if key == "escape" and self._panel.editing is not None and self.desk.turn is None:
            self._panel.leave_editing()
            return True
        return False

    @on(TextArea.SelectionChanged)
    def _cursor_moved(self) -> None:
        self._completing.update()

    @on(CompletionList.Chosen)
    def _candidate_clicked(self) -> None:
        self._completing.accept(runs=True)
        self._panel.composer.focus()

    @on(Composer.PathsPasted)
    def _paths_pasted(self, event: Composer.PathsPasted) -> None:
        label = self._attaching.expect(event.text)
        self.perform(partial(self._attaching.paste, event.text, label))

    @on(Composer.LongTextPasted)
    def _long_text_pasted(self, event: Composer.LongTextPasted) -> None:
        label = self._attaching.expect_text()
        self.perform(partial(self._attaching.paste_text, event.text, label))

    @on(AttachmentTray.AutoRequested)
    def _auto_wanted(self, event: AttachmentTray.AutoRequested) -> None:
        self._pictures.choose_budget(event.attachment)

    @on(AttachmentTray.CutRequested)
    def _part_wanted(self, event: AttachmentTray.CutRequested) -> None:
        self._pictures.cut(event.attachment, event.region)

    @on(AttachmentTray.PartsRequested)
    def _parts_wanted(self, event: AttachmentTray.PartsRequested) -> None:
        try:
            self._parts.ask(event.attachment, self.app)
        except UsageError as error:
            self.report(error)

    @on(AttachmentTray.TranscriptWanted)
    def _transcript_wanted(self) -> None:
        self.perform(self._transcribing.begin)

    @on(AttachmentTray.OpenRequested)
    def _text_wanted(self, event: AttachmentTray.OpenRequested) -> None:
        self.perform(partial(self._attaching.open_text, event.attachment))

    def update_cost(self) -> None:
        """Show what sending would cost now."""
        model, draft = self._engine.state.model, self._panel.shown
        is_no_question = draft.is_empty or draft.text == "/" or looks_like_command(draft.text)
        if model is None or self.desk.turn is not None or is_no_question or not self.has_begun:
            self._cost.update(None)
            return
        edited, last = self._panel.editing, self._page.last
        parent_id = edited.parent_id if edited else last.id if last else None
        asked = Asked(
            self._page.conversation_id,
            draft,
            parent_id,
            self._options,
            model.name,
            self._page.tokens_up_to(parent_id, model.name),
        )
        self._cost.update(asked)
