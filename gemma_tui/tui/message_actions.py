"""What the reader does with a message: edit, answer again, go on, branch, delete, preview.

Every one of them leaves what was there: the old words stay as another branch.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from gemma_tui.conversation import Draft
from gemma_tui.errors import GemmaError
from gemma_tui.tui.status import MODEL_CHANGES, NOT_CUT_OFF, still_writing
from gemma_tui.tui.transcript.requests import ActionRequested, EditRequested, PreviewRequested

if TYPE_CHECKING:
    from collections.abc import Callable

    from gemma_tui.options import GenerationOptions
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.tui.desk import Desk
    from gemma_tui.tui.desk_owner import DeskOwner
    from gemma_tui.tui.model_switch import ModelSwitch
    from gemma_tui.tui.page import Page
    from gemma_tui.tui.picture_actions import PictureActions
    from gemma_tui.tui.previewing import Previewing
    from gemma_tui.tui.transcript.requests import MessageRequest
    from gemma_tui.tui.widgets.composer_panel import ComposerPanel

BRANCH_HINT = "New branch · Esc goes back"
"""At the composer while the next question will not follow the end of the conversation."""

STILL_READING: Final = "A file is still being read. Try again once it is attached."
STILL_EDITING: Final = (
    "You are changing another question. Send it with Enter, or leave it with Esc."
)
"""Why a question cannot be edited now."""


CUT_OFF_HINT = "Ctrl+G goes on with the reply"
"""At the composer while the last reply is one that was stopped or cut off."""


class MessageActions:
    """Does what was asked of a message.

    Args:
        previewing: Makes previews.
        store: Conversations.
        desk: Runs turns.
        page: The conversation shown.
        panel: The composer.
        owner: The screen.
        options: How replies are to be made now.
        models: Whether another one has to be loaded first.
        pictures: Looks closer.
    """

    def __init__(  # noqa: PLR0913  # what a message can be asked needs them all
        self,
        previewing: Previewing,
        store: ConversationStore,
        desk: Desk,
        page: Page,
        panel: ComposerPanel,
        owner: DeskOwner,
        options: Callable[[], GenerationOptions],
        *,
        models: ModelSwitch,
        pictures: PictureActions,
    ) -> None:
        self._pictures = pictures
        self._previewing = previewing
        self._store = store
        self._desk = desk
        self._page = page
        self._panel = panel
        self._owner = owner
        self._options = options
        self._models = models
        self._deleted: list[int] = []
        self._hint = ""

    def perform(self, request: MessageRequest) -> None:
        """Do what was asked for."""
        match request:
            case EditRequested():
                self.edit(request.message_id)
            case PreviewRequested():
                self._owner.perform(partial(self._preview, request.message_id, request.number))
            case ActionRequested():
                self._act(request)
            case _:
                pass

    def _act(self, request: ActionRequested) -> None:
        match request.kind:
            case "answer":
                self.answer(request.message_id)
            case "closer":
                self._owner.perform(partial(self._look_closer, request.message_id))
            case "continue":
                self.go_on(request.message_id)
            case "branch":
                self.branch(request.message_id)
            case "older" | "newer":
                self._owner.perform(partial(self._switch, request.message_id, request.kind))
            case "delete":
                self._owner.perform(partial(self._delete, request.message_id))
            case "undo":
                self._owner.perform(self._undo_delete)
            case "leave":
                self.leave()

    def answer(self, message_id: int | None = None) -> None:
        """Answer a question again, the one before a reply, or the last one; the old reply stays."""
        if not self.is_refused():
            self._panel.problem.tell("")
            self._desk.answer_again(self._options(), message_id)

    def go_on(self, message_id: int | None = None) -> None:
        """Let a reply (the last one unless told) go on where it was cut off."""
        if not self.is_refused():
            began = self._desk.continue_reply(self._options(), message_id)
            self._panel.problem.tell("" if began else NOT_CUT_OFF)

    async def _look_closer(self, message_id: int) -> None:
        if not self.is_refused():
            self._pictures.look_closer(message_id)

    def branch(self, message_id: int) -> None:
        """Ask something else behind a message, or in place of a question."""
        message = self._page.message(message_id)
        if message is not None and not self.is_refused():
            self._turn_to(message_id if message.role == "model" else message.parent_id)
            self._panel.composer.focus()

    def edit(self, message_id: int) -> None:
        """Write a question anew, to be asked in a branch of its own; the draft is kept aside."""
        message = self._page.message(message_id)
        if message is None or message.role != "user" or self.is_refused():
            return
        edited = self._panel.editing
        if self._panel.tray.pending:
            self._panel.problem.tell(STILL_READING)
        elif edited is not None and self._panel.shown != Draft(edited.text, edited.attachments):
            self._panel.problem.tell(STILL_EDITING)
            self._panel.composer.focus()
        else:
            self._panel.problem.withdraw(STILL_READING, STILL_EDITING)
            self._panel.edit(message)

    def leave(self) -> None:
        """Esc: stop the reply, else go back to the composer."""
        if not self.stop():
            self._panel.composer.focus()

    def stop(self) -> bool:
        """Esc in the composer: stop the reply, else go back to the end of the conversation."""
        if self._desk.stop():
            return True
        if not self._page.is_branching:
            return False
        self._owner.perform(partial(self._desk.open, self._page.conversation_id))
        return True

    def show_hint(self) -> None:
        """Say at the composer whether what is sent becomes a branch, or a reply could go on."""
        hint, last = "", self._page.last
        if self._page.is_branching:
            hint = BRANCH_HINT
        elif self._desk.turn is None and last is not None and last.is_cut_off:
            hint = CUT_OFF_HINT
        if hint != self._hint:  # every title that is set has the whole composer painted anew
            self._hint = self._panel.composer.border_title = hint

    async def _preview(self, message_id: int, number: int) -> None:
        message = self._page.message(message_id)
        if message is not None:
            preview = await self._previewing.preview(message.attachments[number])
            self._page.transcript.show_preview(message_id, number, preview)

    async def _switch(self, message_id: int, direction: Literal["older", "newer"]) -> None:
        """Show the branch through the sibling before or after a message; it is remembered."""
        siblings, message = self._page.siblings(message_id), self._page.message(message_id)
        if siblings is None or message is None:
            return
        wanted = siblings.previous_id if direction == "older" else siblings.next_id
        if wanted is not None:
            await self._store.set_leaf(message.conversation_id, wanted)
            await self._desk.open(message.conversation_id)
            self._page.transcript.choose(wanted)

    async def _delete(self, message_id: int) -> None:
        message = self._page.message(message_id)
        if message is not None:
            conversation = await self._store.delete_message(message_id)
            self._deleted.append(message_id)
            await self._desk.open(conversation.id)
            self._page.transcript.choose(message.parent_id)
            self._panel.notify(
                "Deleted the message and what followed it. U brings it back.", markup=False
            )

    async def _undo_delete(self) -> None:
        if not self._deleted:
            return
        message_id = self._deleted.pop()  # at once: the next undo is for the one before
        try:
            conversation = await self._store.restore_message(message_id)
        except GemmaError:
            self._deleted.append(message_id)
            raise
        await self._desk.open(conversation.id)
        self._page.transcript.choose(message_id)
        self._panel.app.clear_notifications()  # one of them offers what was just done

    def _turn_to(self, message_id: int | None) -> None:
        """Show the conversation up to a message: what is asked next follows it."""
        self._page.branch_at(message_id)
        self.show_hint()

    def is_refused(self) -> bool:
        """Whether nothing can be asked now; the reason is shown then."""
        if self._models.holds_back():
            self._panel.problem.tell(MODEL_CHANGES)
            return True
        if self._desk.turn is None:
            return False
        self._panel.problem.tell(still_writing(self._desk.turn, self._page))
        return True
