"""Runs the commands of plain mode: a command `name` is the method `do_name`."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, cast

from gemma_tui.errors import UsageError
from gemma_tui.frontend.commands import check_available
from gemma_tui.frontend.dropped import parse_dropped
from gemma_tui.frontend.tags import tags_in
from gemma_tui.paths import expand
from gemma_tui.plain.attachment_words import describe
from gemma_tui.plain.commands import help_lines
from gemma_tui.plain.numbers import number_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from gemma_tui.conversation import Conversation, Message
    from gemma_tui.exchange.exchange import Exchange
    from gemma_tui.frontend.commands import Call, Need
    from gemma_tui.plain.console import Console
    from gemma_tui.plain.conversing import Conversing
    from gemma_tui.plain.model_command import ModelCommand
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.storage.media_uses import MediaUse

MAX_HITS: Final = 20


class CommandRunner:
    """Runs commands.

    Args:
        conversing: The open conversation.
        store: All of them.
        models: What `/model` does.
        exchange: Writes files.
        console: Where everything is shown.
    """

    def __init__(
        self,
        conversing: Conversing,
        store: ConversationStore,
        models: ModelCommand,
        exchange: Exchange,
        console: Console,
    ) -> None:
        self._conversing = conversing
        self._store = store
        self._models = models
        self._exchange = exchange
        self._console = console
        self._deleted: list[int] = []
        self.is_leaving = False
        """Whether the user wants to leave."""

    async def run(self, call: Call) -> None:
        """Run a command.

        Raises:
            GemmaError: Why it cannot run, or what went wrong.
        """
        check_available(call.command, self._met_needs())
        if "\0" in call.argument:  # no path and no word has one; the system's calls raise for it
            raise UsageError(f"/{call.command.name} cannot take a zero byte.", "Leave it out.")
        method: Callable[[str], Awaitable[None]] = getattr(self, f"do_{call.command.name}")
        await method(call.argument)

    def _met_needs(self) -> frozenset[Need]:
        branch = self._conversing.branch
        found: dict[Need, bool] = {
            "idle": True,
            "conversation": self._conversing.conversation is not None,
            "question": any(message.role == "user" for message in branch),
            "answer": any(message.role == "model" for message in branch),
            "cut_off": bool(branch) and branch[-1].is_cut_off,
        }
        return frozenset(need for need, is_met in found.items() if is_met)

    @property
    def _open(self) -> Conversation:
        """The open conversation, of a command that needs one."""
        return cast("Conversation", self._conversing.conversation)

    async def do_new(self, _argument: str) -> None:
        """A new conversation."""
        await self._conversing.open(None)
        self._console.say("A new conversation.")

    async def do_list(self, _argument: str) -> None:
        """All conversations."""
        lines = [_line(item) for item in await self._store.list()]
        self._console.say("\n".join(lines or ["There are no conversations yet."]))

    async def do_open(self, argument: str) -> None:
        """Another conversation, with the end of what was said in it."""
        number = number_in(argument)
        if number is None:
            raise UsageError(f"“{argument}” is no number.", "/list shows the numbers.")
        await self._conversing.open(number)
        branch = self._conversing.branch
        self._console.say(f"Opened “{self._open.title}”, {len(branch)} messages.")
        self._show(branch[-2:])
        self._models.tell_own()

    async def do_show(self, _argument: str) -> None:
        """Everything that was said."""
        self._show(self._conversing.branch)

    async def do_search(self, argument: str) -> None:
        """Search all conversations."""
        if not argument:
            raise UsageError("/search needs words to look for.", "Write /search and the words.")
        page = await self._store.search(argument, limit=MAX_HITS)
        lines = [
            f"{hit.conversation.id}  {hit.conversation.title}: {hit.snippet}" for hit in page.hits
        ]
        if page.next_before is not None:
            lines.append("There are more; add a word.")
        self._console.say("\n".join(lines or ["Nothing was found."]))

    async def do_retry(self, _argument: str) -> None:
        """The last question again."""
        await self._conversing.answer_again()

    async def do_continue(self, _argument: str) -> None:
        """On with the last reply."""
        await self._conversing.go_on()

    async def do_attach(self, argument: str) -> None:
        """A file for the next message; without a path, those there are."""
        if argument:
            found = await asyncio.to_thread(parse_dropped, argument)
            await self._conversing.attach(found or (expand(argument).absolute(),))
            return
        lines = [f"Attached is {describe(item)}." for item in self._conversing.attachments]
        self._console.say("\n".join(lines or ["Nothing is attached. Write /attach and a path."]))

    async def do_attachments(self, _argument: str) -> None:
        """Everything that is attached to the messages of this conversation."""
        uses = await self._store.media_uses(self._open.id)
        lines = [f"{n}  {_day(use.created_at)}  {_use(use)}" for n, use in enumerate(uses, 1)]
        self._console.say("\n".join(lines or ["No message has an attachment."]))

    async def do_detach(self, _argument: str) -> None:
        """Without the last attachment."""
        if not self._conversing.attachments:
            raise UsageError("Nothing is attached.")
        *kept, last = self._conversing.attachments
        self._conversing.attachments = tuple(kept)
        self._console.say(f"Took off {describe(last)}.")

    async def do_budget(self, argument: str) -> None:
        """The token budget of the last picture."""
        *before, last = self._conversing.attachments or (None,)
        if last is None or last.kind != "image":
            raise UsageError("No picture is attached that a token budget could be for.")
        changed = await self._conversing.with_budget(last, argument)
        self._conversing.attachments = (*(item for item in before if item), changed)
        self._console.say(f"Now {describe(changed)}.")

    async def do_range(self, argument: str) -> None:
        """Other pages, lines, frames, or another part of a sound, of the last attachment."""
        *before, last = self._conversing.attachments or (None,)
        if last is None:
            raise UsageError("Nothing is attached that parts could be chosen of.")
        changed = await self._conversing.with_parts(last, argument)
        self._conversing.attachments = (*(item for item in before if item), changed)
        self._console.say(f"Now {describe(changed)}.")

    async def do_think(self, argument: str) -> None:
        """Thinking before the next answers."""
        wanted = argument == "on" if argument else not self._conversing.settings.thinking
        await self._conversing.set_where_it_holds("thinking", wanted)
        self._console.say(f"Thinking is {'on' if self._conversing.settings.thinking else 'off'}.")

    async def do_overflow(self, _argument: str) -> None:
        """What happens when the context is full."""
        wanted = "refuse" if self._conversing.settings.overflow == "drop_oldest" else "drop_oldest"
        await self._conversing.set_where_it_holds("overflow", wanted)
        is_dropped = self._conversing.settings.overflow == "drop_oldest"
        what = "the oldest turns are left out" if is_dropped else "a question is refused"
        self._console.say(f"When the context is full, {what}.")

    async def do_system(self, argument: str) -> None:
        """What the model is told first, or something else from now on."""
        if argument:
            await self._conversing.set_own("system_prompt", argument)
        prompt = self._conversing.settings.system_prompt
        told = (
            f"The model is told first: {prompt}" if prompt else "The model is told nothing first."
        )
        self._console.say(told)

    async def do_model(self, argument: str) -> None:
        """The models there are, or a change to one of them, by its number or its folder."""
        await self._models.run(argument)

    async def do_rename(self, argument: str) -> None:
        """Another title."""
        self._conversing.conversation = await self._store.rename(self._open.id, argument)
        self._console.say(f"The conversation is called “{self._open.title}”.")

    async def do_pin(self, _argument: str) -> None:
        """To the top of the list, or off it."""
        is_pinned = self._open.is_pinned
        change = self._store.unpin if is_pinned else self._store.pin
        self._conversing.conversation = await change(self._open.id)
        self._console.say("Unpinned." if is_pinned else "Pinned.")

    async def do_archive(self, _argument: str) -> None:
        """Out of the list, or back."""
        is_archived = self._open.is_archived
        change = self._store.unarchive if is_archived else self._store.archive
        self._conversing.conversation = await change(self._open.id)
        self._console.say("Taken back." if is_archived else "Archived.")

    async def do_tags(self, argument: str) -> None:
        """Other tags; without any, those there are."""
        if argument:
            changed = await self._store.set_tags(self._open.id, tags_in(argument))
            self._conversing.conversation = changed
        tags = ", ".join(self._open.tags)
        self._console.say(f"Tags: {tags}." if tags else "No tags.")

    async def do_delete(self, _argument: str) -> None:
        """Away with the conversation."""
        await self._conversing.keep_draft()
        deleted = await self._store.delete(self._open.id)
        self._deleted.append(deleted.id)
        await self._conversing.open(None)
        self._console.say(f"Deleted “{deleted.title}”. /undo brings it back.")

    async def do_undo(self, _argument: str) -> None:
        """Back with the conversation that was deleted last."""
        if not self._deleted:
            raise UsageError("Nothing was deleted since the start.")
        restored = await self._store.restore(self._deleted[-1])
        self._deleted.pop()
        await self._conversing.open(restored.id)
        self._console.say(f"“{restored.title}” is back, and open.")
        self._models.tell_own()

    async def do_export(self, argument: str) -> None:
        """Into a file whose name says the format, or into a folder as Markdown."""
        path = expand(argument or ".")
        await self._conversing.keep_draft()  # not the command, as far as it was kept meanwhile
        written = await self._exchange.export(self._open.id, path)
        self._console.say(f"Written to {written}.")

    async def do_import(self, argument: str) -> None:
        """The conversations of a file."""
        if not argument:
            raise UsageError("/import needs a file.", "Write /import and its path.")
        report = await self._exchange.import_file(expand(argument).absolute(), lambda _: None)
        self._console.say("\n".join((*report.sentences, report.summary)))

    async def do_help(self, _argument: str) -> None:
        """All commands."""
        self._console.say("\n".join(help_lines(self._console.columns)))

    async def do_quit(self, _argument: str) -> None:
        """Leave."""
        self.is_leaving = True

    def _show(self, messages: Iterable[Message]) -> None:
        for message in messages:
            name = "You" if message.role == "user" else message.model or "Gemma"
            for item in message.attachments:
                self._console.say(f"{name} attached {describe(item)}.")
            self._console.say(f"{name}: {message.text}")


def _line(item: Conversation) -> str:
    marks = [f"#{tag}" for tag in item.tags]
    if item.is_pinned:
        marks.insert(0, "pinned")
    return "  ".join((str(item.id), _day(item.updated_at), item.title, *marks))


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def _use(use: MediaUse) -> str:
    asked = " ".join(use.question.split())
    return f"{describe(use.attachment)}{f', with: {asked}' if asked else ''}"
