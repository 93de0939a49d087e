"""From a paste or a typed path to a chip: finds the files, has them copied, puts them in the tray.

A file that arrives after the user turned to another conversation goes to the draft it was meant
for. What a file is, and whether it may be attached, `Chat.attach` says.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import Draft, context_tokens
from gemma_tui.documents import estimated_tokens, left_out_note
from gemma_tui.errors import AttachmentError, GemmaError, LimitError
from gemma_tui.frontend.dropped import gone, parse_drop, parse_dropped, typed_path
from gemma_tui.frontend.folders import Folders, offer_budget, offer_words
from gemma_tui.preprocessing.budget import AUTO
from gemma_tui.preprocessing.frame_times import is_video
from gemma_tui.sanitize import sanitize_line
from gemma_tui.storage.faults import storage_faults
from gemma_tui.tui.fitting import NOTE_SECONDS
from gemma_tui.tui.password_question import PasswordQuestion
from gemma_tui.tui.widgets.composer import MAX_PASTE_LENGTH, is_long_paste
from gemma_tui.videos import parse_rate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import App

    from gemma_tui.chat import Chat
    from gemma_tui.conversation import Attachment
    from gemma_tui.frontend.folders import FolderOffer
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.tui.fitting import DraftFitting
    from gemma_tui.tui.page import Page
    from gemma_tui.tui.preferences import Preferences
    from gemma_tui.tui.widgets.composer_panel import ComposerPanel

PASTED: Final = "pasted text"
"""What the name of a paste that became an attachment begins with."""


class Attaching:
    """Puts files into the draft.

    Args:
        chat: Copies a file and finds out what it is.
        store: Where the drafts of other conversations are.
        page: Which conversation is shown.
        panel: The chips and the composer.
        preferences: What a new picture may cost.
        fitting: Told what was attached as the program chose.
        app: Where questions are asked.
    """

    def __init__(
        self,
        *,
        chat: Chat,
        store: ConversationStore,
        page: Page,
        panel: ComposerPanel,
        preferences: Preferences,
        fitting: DraftFitting,
        app: Callable[[], App[None]],
    ) -> None:
        self._chat = chat
        self._store = store
        self._page = page
        self._panel = panel
        self._preferences = preferences
        self._fitting = fitting
        self._app = app
        self._folders = Folders(self._agrees)
        self._ask_password = PasswordQuestion(app)
        self._refused = ""
        self.refused_path = ""
        """What was typed into the dialogue last and could not be attached."""
        self._in_order = asyncio.Lock()

    def expect(self, text: str) -> str:
        """Make a paste pending before `paste` runs: an Enter right behind a drop has to wait.

        Returns:
            What stands in its chip.
        """
        label = text.strip().rpartition("/")[2]
        self._panel.tray.pending += (label,)
        return label

    async def paste(self, text: str, label: str) -> None:
        """Attach the files that a paste stands for; insert it as text if it stands for none.

        Args:
            text: The paste.
            label: What `expect` returned for it.

        Raises:
            GemmaError: As `attach`.
        """
        number = self._page.number
        try:
            drop = await asyncio.to_thread(parse_drop, text)
            if drop.found:
                expected, label = label, ""
                await self.attach(drop.found, drop.missing, expected)
            elif is_long_paste(text):
                await self._attach_text(text)
            elif number == self._page.number:
                self._panel.composer.insert_pasted(text)
        finally:
            if label:
                self._panel.no_longer_pending(label)

    def expect_text(self) -> str:
        """As `expect`, for a paste that becomes a text attachment."""
        self._panel.tray.pending += (PASTED,)
        return PASTED

    async def paste_text(self, text: str, label: str) -> None:
        """Attach a long paste as a file of its own.

        Args:
            text: The paste.
            label: What `expect_text` returned for it.

        Raises:
            GemmaError: As `attach`; the text is in the composer then.
        """
        try:
            await self._attach_text(text)
        finally:
            self._panel.no_longer_pending(label)

    async def open_text(self, attachment: Attachment) -> None:
        """Put an attached text back into the composer, in place of its chip.

        Raises:
            StorageError: The stored copy is gone.
            LimitError: The composer cannot hold so much.
        """
        number = self._page.number
        text = await self._chat.text_of(attachment)
        if len(text) > MAX_PASTE_LENGTH:
            raise LimitError(
                f"“{sanitize_line(attachment.name)}” has {len(text):,} characters;"
                f" the composer takes at most {MAX_PASTE_LENGTH:,}.",
                "It can be sent as it is.",
            )
        if number == self._page.number and self._panel.tray.take_off(attachment):
            self._panel.composer.insert_pasted(text)
            self._panel.composer.focus()

    async def files_of(self, text: str) -> tuple[Path, ...]:
        """The files that `text`, all of it, names: a terminal may type what is dropped.

        A text that was refused once is a text the next time.
        """
        if text == self._refused:
            self._refused = ""
            return ()
        return await find_files(text)

    async def attach_typed(self, paths: Sequence[Path], text: str) -> None:
        """Attach the files that `text` names.

        Raises:
            GemmaError: As `attach`; the text is back in the composer.
        """
        try:
            await self.attach(paths)
        except GemmaError:
            self._refused = text
            self._panel.give_back(Draft(text))
            raise

    async def attach_path(self, text: str) -> None:
        """Attach the file whose path was typed by hand.

        Raises:
            GemmaError: As `attach`.
        """
        self.refused_path = text
        await self.attach([await asyncio.to_thread(typed_path, text)])
        self.refused_path = ""

    async def attach(
        self, paths: Sequence[Path], missing: Sequence[Path] = (), expected: str = ""
    ) -> None:
        """Attach files one after the other, in their order.

        Args:
            paths: The files.
            missing: Others that were dropped with them, and are not there.
            expected: What is pending for all of them until now, see `expect`.

        Raises:
            GemmaError: What could not be attached, and why; the other files are.
        """
        self._panel.problem.tell("")
        conversation_id, number = self._page.conversation_id, self._page.number
        try:
            paths, refused = await self._folders.opened(paths)
            self._panel.tray.pending += tuple(path.name for path in paths)
        finally:
            if expected:
                self._panel.no_longer_pending(expected)
        failures: list[GemmaError] = [*map(gone, missing), *refused]
        async with self._in_order:
            for path in paths:
                try:
                    await self._attach(path, conversation_id, number)
                except GemmaError as error:
                    failures.append(error)
                finally:
                    self._panel.no_longer_pending(path.name)
        if len(failures) > 1:
            raise AttachmentError("\n".join(str(failure) for failure in failures))
        if failures:
            raise failures[0]

    async def _agrees(self, offer: FolderOffer) -> bool:
        from gemma_tui.tui.screens.agreement import AgreementScreen  # noqa: PLC0415  # rare

        chosen = self._preferences.settings.token_budget
        budget = offer_budget(chosen, self._chat.default_token_budget)
        screen = AgreementScreen(offer_words(offer, budget))
        return await self._app().push_screen_wait(screen)

    async def _attach_text(self, text: str) -> None:
        conversation_id, number = self._page.conversation_id, self._page.number
        lines = len(text.splitlines())
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{PASTED}, {lines} line{'' if lines == 1 else 's'}"
            try:
                with storage_faults(path):
                    await asyncio.to_thread(path.write_bytes, text.encode(errors="replace"))
                await self.attach([path])
            except GemmaError:
                if number == self._page.number:
                    self._panel.composer.insert_pasted(text)
                else:
                    draft = await self._store.load_draft(conversation_id)
                    draft = replace(draft, text=f"{draft.text}\n{text}".lstrip())
                    await self._store.save_draft(conversation_id, draft)
                raise

    async def _attach(self, path: Path, conversation_id: int | None, number: int) -> None:
        budget = self._preferences.settings.token_budget
        used = await self._used_tokens(conversation_id, number)
        attachment = await self._chat.attach(
            path, token_budget=budget, used_tokens=used, ask_password=self._ask_password
        )
        documents, rate = self._chat.documents, self._preferences.settings.frame_rate
        attachment = documents.first_frames(attachment, parse_rate(rate), used)
        self._fitting.attached(attachment, budget, rate)
        if number == self._page.number:
            self._panel.tray.add(attachment)
            if budget == AUTO and not is_video(attachment):
                self._panel.tray.set_budget(AUTO)
            if note := left_out_note(attachment) or documents.video_note(
                attachment, parse_rate(rate)
            ):
                self._panel.notify(note, timeout=NOTE_SECONDS, markup=False)
            return
        await self.keep_for(conversation_id, attachment)

    async def _used_tokens(self, conversation_id: int | None, number: int) -> int:
        """Of the context, by the conversation that a file is meant for, and by its draft."""
        if number == self._page.number:
            return self._page.context_tokens + estimated_tokens(self._panel.tray.attachments)
        branch = () if conversation_id is None else await self._store.messages(conversation_id)
        draft = await self._store.load_draft(conversation_id)
        return context_tokens(branch) + estimated_tokens(draft.attachments)

    async def keep_for(
        self,
        conversation_id: int | None,
        attachment: Attachment,
        in_place_of: Attachment | None = None,
    ) -> None:
        """Put an attachment into the draft of a conversation that is not shown.

        Raises:
            StorageError: The draft cannot be saved.
        """
        draft = await self._store.load_draft(conversation_id)
        kept = tuple(item for item in draft.attachments if item != in_place_of)
        draft = replace(draft, attachments=(*kept, attachment))
        await self._store.save_draft(conversation_id, draft)


async def find_files(text: str) -> tuple[Path, ...]:
    """`parse_dropped` off the event loop: asking a dead mount for a file may take its time."""
    return await asyncio.to_thread(parse_dropped, text)
