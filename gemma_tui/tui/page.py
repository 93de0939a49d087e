"""The conversation on the screen: its branch of messages, and the transcript that shows them.

Only what is shown; storing and answering happen elsewhere, also for conversations not shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.conversation import context_tokens
from gemma_tui.generation import MediaProgress, PrefillProgress, Resumed, TextDelta, ThoughtDelta
from gemma_tui.turn import TurnFinished, TurnStarted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gemma_tui.conversation import Attachment, Conversation, Message, Siblings
    from gemma_tui.frontend.turn import Turn
    from gemma_tui.tui.transcript.widget import Transcript
    from gemma_tui.turn import TurnEvent


class Page:
    """What the reader looks at.

    Args:
        transcript: The widget that draws it.
    """

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self.conversation: Conversation | None = None
        """None is the new conversation, which is created with its first message."""
        self.new_overrides = ""
        """What is set for the new conversation only, as the JSON it is created with."""
        self.number = 0
        """Grows whenever another conversation is shown."""
        self.is_branching = False
        """Whether the branch ends before its own end: what is asked next begins another one."""
        self._branch: list[Message] = []
        self._siblings: dict[int, Siblings] = {}

    @property
    def conversation_id(self) -> int | None:
        """Id of the conversation, None for the new one."""
        return self.conversation.id if self.conversation else None

    @property
    def last(self) -> Message | None:
        """The end of the branch."""
        return self._branch[-1] if self._branch else None

    @property
    def last_question(self) -> Message | None:
        """What the user asked last."""
        return next((m for m in reversed(self._branch) if m.role == "user"), None)

    @property
    def last_answer(self) -> Message | None:
        """What the model wrote last."""
        return next((m for m in reversed(self._branch) if m.role == "model" and m.text), None)

    def tokens_up_to(self, message_id: int | None, model: str) -> int:
        """Tokens a model has read of the branch up to a message; 0 if it is not known."""
        for message in self._branch:
            if message.id == message_id:
                is_known = message.model == model and message.usage is not None
                return message.usage.context_tokens if message.usage and is_known else 0
        return 0

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """Everything that is attached to the messages of the branch."""
        return tuple(item for message in self._branch for item in message.attachments)

    @property
    def context_tokens(self) -> int:
        """Tokens of the context in use after the last reply that says so."""
        return context_tokens(self._branch)

    @property
    def tokens_per_second(self) -> float:
        """Speed of the last reply; 0 if it is not known."""
        return self.last.usage.tokens_per_second if self.last and self.last.usage else 0.0

    def show(
        self,
        conversation: Conversation | None,
        messages: Sequence[Message],
        turn: Turn | None,
        siblings: Iterable[Siblings] = (),
    ) -> None:
        """Turn to another conversation, with the reply that is being written in it as it is now."""
        self._siblings = {each.message_id: each for each in siblings}
        self.number += 1
        self.is_branching = False
        self.new_overrides = ""
        self.conversation = conversation
        live = turn.snapshot() if turn else None
        self._branch = [live if live and m.id == live.id else m for m in messages]
        self.transcript.show(self._branch, self._forks)
        if turn:
            self.show_label(turn, turn.label)

    def message(self, message_id: int) -> Message | None:
        """A message of the branch."""
        return next((m for m in self._branch if m.id == message_id), None)

    def branch_at(self, message_id: int | None) -> None:
        """Show the branch only up to a message, None being its beginning."""
        ids = [message.id for message in self._branch]
        self._branch = self._branch[: ids.index(message_id) + 1 if message_id in ids else 0]
        self.is_branching = True
        self.transcript.show(self._branch, self._forks)

    def siblings(self, message_id: int) -> Siblings | None:
        """Where a message stands among those that follow the same message, if that is known."""
        return self._siblings.get(message_id)

    def set_siblings(self, siblings: Iterable[Siblings]) -> None:
        """Messages have siblings that they did not have before."""
        self._siblings.update({each.message_id: each for each in siblings})
        self.transcript.set_forks(self._forks)

    @property
    def _forks(self) -> dict[int, tuple[int, int]]:
        """Which of how many siblings a message is, counted from 1, where there are several."""
        found = self._siblings.items()
        return {key: (each.index + 1, len(each.ids)) for key, each in found if len(each.ids) > 1}

    def shows(self, turn: Turn) -> bool:
        """Whether the turn's reply is on this page."""
        return turn.reply is not None and any(m.id == turn.reply.id for m in self._branch)

    def show_event(self, turn: Turn, event: TurnEvent) -> None:
        """Show what just happened in `turn`, if it happens on this page."""
        if isinstance(event, TurnStarted):
            self._show_start(turn, event)
        elif self.shows(turn):
            self._show_more(turn, event)

    def _show_start(self, turn: Turn, started: TurnStarted) -> None:
        if self.shows(turn):
            self.finish(started.reply)  # it goes on
        elif turn.conversation_id == self.conversation_id:
            self._begin(started.question, started.reply)

    def _show_more(self, turn: Turn, event: TurnEvent) -> None:
        if turn.reply is None:
            return
        match event:
            case ThoughtDelta(text):
                self.transcript.add_thought(turn.reply.id, text)
            case TextDelta(text):
                self.transcript.add_text(turn.reply.id, text)
            case MediaProgress() | PrefillProgress():
                self.show_label(turn, turn.label)
            case Resumed():
                if (reply := turn.snapshot()) is not None:
                    self.finish(reply)
            case TurnFinished(reply):
                self.finish(reply)

    def show_label(self, turn: Turn, label: str) -> None:
        """Say what a reply waits for that has not begun."""
        if turn.reply is not None and self.shows(turn):
            self.transcript.set_progress(turn.reply.id, label)

    def finish(self, reply: Message) -> None:
        """Show the new values of a reply."""
        for index, message in enumerate(self._branch):
            if message.id == reply.id:
                self._branch[index] = reply
                self.transcript.finish(reply)

    def _begin(self, question: Message | None, reply: Message) -> None:
        self.is_branching = False
        if question is None:
            # An earlier question is answered again: what came after it belongs to another branch.
            ids = [message.id for message in self._branch]
            keep = ids.index(reply.parent_id) + 1 if reply.parent_id in ids else 0
            self._branch = [*self._branch[:keep], reply]
            self.transcript.show(self._branch, self._forks)
            return
        if question.parent_id != (self.last.id if self.last else None):
            # An earlier question was edited: what followed it belongs to another branch.
            ids = [message.id for message in self._branch]
            keep = ids.index(question.parent_id) + 1 if question.parent_id in ids else 0
            self._branch = self._branch[:keep]
            self.transcript.show(self._branch)
        self._branch += [question, reply]
        self.transcript.append(question)
        self.transcript.append(reply)
