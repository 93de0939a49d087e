"""What commands do on the chat screen: the actions that entries of `COMMANDS` name.

The composer decides what is a command; the desk, the store and the chips do the work.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING

from textual.screen import Screen

from gemma_tui.conversation import Draft
from gemma_tui.errors import GemmaError, UsageError
from gemma_tui.frontend.commands import check_available
from gemma_tui.preprocessing.budget import AUTO
from gemma_tui.region import parse_region
from gemma_tui.sanitize import sanitize_line
from gemma_tui.tui.transcript.copying import source_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.worker import Worker

    from gemma_tui.frontend.commands import Call, Command, Need
    from gemma_tui.options import GenerationOptions
    from gemma_tui.preprocessing.budget import TokenBudget
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.tui.choosing import Choosing
    from gemma_tui.tui.desk import Desk
    from gemma_tui.tui.exchanging import Exchanging
    from gemma_tui.tui.gallery import Gallery
    from gemma_tui.tui.page import Page
    from gemma_tui.tui.parts_choice import PartsChoice
    from gemma_tui.tui.picture_actions import PictureActions
    from gemma_tui.tui.transcribing import Transcribing
    from gemma_tui.tui.widgets.composer_panel import ComposerPanel
    from gemma_tui.tui.workspace import Workspace


class CommandScreen(Screen[None]):
    """Runs commands. Its heir sets everything declared here."""

    desk: Desk
    _store: ConversationStore
    _page: Page
    _panel: ComposerPanel
    choosing: Choosing
    workspace: Workspace
    exchanging: Exchanging
    gallery: Gallery
    _pictures: PictureActions
    _parts: PartsChoice
    _transcribing: Transcribing

    @abstractmethod
    def perform(self, work: Callable[[], Awaitable[None]]) -> Worker[None]:
        """Run something that may fail with a sentence for the user."""

    @abstractmethod
    def report(self, error: GemmaError) -> None:
        """Say what went wrong."""

    @property
    def _options(self) -> GenerationOptions:
        """How replies on this page are to be written."""
        return self.choosing.preferences.options

    async def run_command(self, command: Command) -> None:
        """Run a command without an argument; one that needs it is begun in the composer."""
        if not command.needs_argument:
            await self._run_action(command, "")
        elif self._panel.shown.is_empty:
            self._panel.composer.take(f"/{command.name} ")
        else:
            raise UsageError(
                f"/{command.name} needs an argument.", f"Write {command.usage} in the composer."
            )

    async def run_call(self, call: Call, text: str) -> None:
        """Run a command that was typed.

        Args:
            call: The command and its argument.
            text: As it was typed; it comes back into the composer if the command fails.

        Raises:
            GemmaError: Why it cannot run, or what went wrong.
        """
        number = self._page.number
        try:
            self._panel.problem.tell("")
            await self._run_action(call.command, call.argument)
        except GemmaError:
            if number == self._page.number:
                self._panel.give_back(Draft(text))
            raise

    async def _run_action(self, command: Command, argument: str) -> None:
        check_available(command, self.met_needs())
        namespace, _, name = command.action.partition(".")
        target = self.app if namespace == "app" else self
        action = getattr(target, f"action_{name}")
        result = action(argument) if command.argument else action()
        if result is not None:
            await result

    def met_needs(self) -> frozenset[Need]:
        """What commands may count on now."""
        last = self._page.last
        found: dict[Need, bool] = {
            "writing": self.desk.turn is not None,
            "idle": self.desk.turn is None,
            "conversation": self._page.conversation is not None,
            "question": self._page.last_question is not None,
            "answer": self._page.last_answer is not None,
            "cut_off": last is not None and last.is_cut_off,
        }
        return frozenset(need for need, is_met in found.items() if is_met)

    def action_toggle_thinking(self) -> None:
        """Think before the next answers, or do not."""
        self.action_set_thinking("")

    def action_set_thinking(self, argument: str) -> None:
        """Think before the next answers: `on`, `off`, or the other way than now."""
        self.choosing.choose_thinking(argument == "on" if argument else None)

    def action_use_demo(self) -> None:
        """Let the built-in demo answer while the model that is set cannot be loaded."""
        self.perform(self.choosing.models.stand_in)

    def action_set_budget(self, argument: str) -> None:
        """This budget for the chosen chip."""
        budget: TokenBudget = AUTO if argument == AUTO else int(argument)
        if not self._panel.tray.set_budget(budget):
            raise UsageError("No picture is attached that a token budget could be for.")

    async def action_crop_picture(self, argument: str) -> None:
        """Attach a part of the picture whose chip is chosen."""
        region, picture = parse_region(argument), self._panel.tray.picture
        if picture is None:
            raise UsageError("No picture is attached that a part could be cut from.")
        await self._pictures.add_part(picture, region)

    def action_attachments(self) -> None:
        """Show what is attached to the messages of this conversation."""
        self.perform(partial(self.gallery.open, self.app))

    async def action_choose_parts(self, argument: str) -> None:
        """Send these pages of the chosen chip."""
        await self._parts.choose(argument)

    async def action_transcribe(self, argument: str) -> None:
        """Write the chosen sound down, in the language it is spoken in."""
        await self._transcribing.begin(argument)

    def action_look_closer(self) -> None:
        """Ask the last question again with more tokens for its pictures."""
        self._pictures.look_closer()

    def action_copy_answer(self) -> None:
        """Copy the last answer as it was written."""
        answer = self._page.last_answer
        if answer is not None:
            self.app.copy_to_clipboard(source_of(answer))
            self.notify("The last answer is copied.", markup=False)

    async def action_set_system_prompt(self, argument: str) -> None:
        """Tell the model this first in the open conversation, or let it be written."""
        if argument:
            await self.choosing.preferences.set("system_prompt", argument, "conversation")
            self.notify("The model is told that first in this conversation.", markup=False)
        else:
            self.choosing.write_system_prompt()

    async def action_undo_delete(self) -> None:
        """Bring back the conversation that was deleted last."""
        if not self.desk.deleted:
            raise UsageError("Nothing was deleted since the start.")
        await self.workspace.filing.undo_delete(self.app)

    def action_detach(self) -> None:
        """Take the last attachment off again."""
        tray = self._panel.tray
        if not tray.attachments:
            raise UsageError("Nothing is attached.")
        tray.cursor = len(tray.attachments) - 1
        tray.action_remove()

    async def action_rename_conversation(self, argument: str) -> None:
        """Give the open conversation this title."""
        if self._page.conversation_id is not None:
            title = sanitize_line(argument)
            await self.workspace.filing.write("rename", self._page.conversation_id, title)

    async def action_toggle_pin(self) -> None:
        """Keep the open conversation at the top of the list, or let it go."""
        shown = self._page.conversation
        if shown is not None:
            await self.workspace.filing.pin(shown)
            self.notify("Unpinned." if shown.is_pinned else "Pinned.", markup=False)

    def action_delete_conversation(self) -> None:
        """Delete the open conversation."""
        self.workspace.action_this("delete")

    def action_archive_conversation(self) -> None:
        """Take the open conversation out of the list, or back into it."""
        self.workspace.action_this("archive")

    async def action_tag_conversation(self, argument: str) -> None:
        """Give the open conversation these tags, or let them be written in the list."""
        await self.workspace.tag_this(argument)

    def action_search_conversations(self, argument: str) -> None:
        """Search everything that was ever said."""
        self.workspace.action_search(argument)

    async def action_export_conversation(self, argument: str) -> None:
        """Write the open conversation to a file."""
        await self.exchanging.export(argument, self.app)

    async def action_import_conversations(self, argument: str) -> None:
        """Take in the conversations of a file."""
        await self.exchanging.import_file(argument, self.app)
