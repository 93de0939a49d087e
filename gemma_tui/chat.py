"""One turn of a conversation: from a draft to a stored reply. The only way a turn happens.

Knows the order of things (store, then compute, then store) and nothing of screens or models.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from gemma_tui.beginning import begin
from gemma_tui.conversation import Draft, Message, MessageState, title_from
from gemma_tui.documents import Documents
from gemma_tui.engine.settled import settled
from gemma_tui.errors import GemmaError, UsageError
from gemma_tui.generation import Finished, GenerationRequest
from gemma_tui.intake import Intake
from gemma_tui.pictures import Pictures
from gemma_tui.prompting import Prompting
from gemma_tui.sounds import Sounds, with_likely_clips
from gemma_tui.storage.replies import not_cut_off
from gemma_tui.storage.streaming import StreamingReply
from gemma_tui.storage.texts import sent_text
from gemma_tui.transcription.folder import TranscriptFolder
from gemma_tui.turn import (
    CANCELLED,
    Begun,
    TurnFinished,
    TurnStarted,
    begun_again,
    created_with,
    end_of,
    failed,
    to_reply_so_far,
    with_end,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from gemma_tui.conversation import Attachment, Conversation
    from gemma_tui.engine.interface import Engine
    from gemma_tui.generation import MediaPreview, PromptSize
    from gemma_tui.intake import AskPassword
    from gemma_tui.options import GenerationOptions
    from gemma_tui.preprocessing.budget import TokenBudget
    from gemma_tui.storage.blobs import BlobStore
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.turn import TurnEvent


class Chat:
    """Turns drafts into stored replies.

    Args:
        store: Conversations.
        blobs: Bytes of attachments.
        engine: Whatever answers.
        system_prompt: What the model is told first in a conversation, None being the one that is
            not created yet; without it, what the conversation was created with.
        transcripts: Keeps what is being written down; without it that is kept in memory.
    """

    def __init__(
        self,
        store: ConversationStore,
        blobs: BlobStore,
        engine: Engine,
        system_prompt: Callable[[Conversation | None], str] = created_with,
        transcripts: TranscriptFolder | None = None,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._engine = engine
        self.pictures = Pictures(blobs, engine)
        self.documents = Documents(blobs, engine)
        self._intake = Intake(blobs, engine, self.pictures, self.documents)
        self._prompting = Prompting(blobs, engine)
        self.sounds = Sounds(blobs, engine)
        self.transcripts = transcripts or TranscriptFolder()
        self._system_prompt = system_prompt

    @property
    def default_token_budget(self) -> int | None:
        """What a picture may cost unless the user says otherwise; None while no model is loaded."""
        model = self._engine.state.model
        return model.default_token_budget if model else None

    async def model_settled(self) -> None:
        """Wait for a model that is being loaded, if one is: what fits follows from it."""
        if self._engine.state.phase in {"starting", "loading"}:
            await settled(self._engine)

    async def attach(
        self,
        path: Path,
        *,
        token_budget: TokenBudget | None = None,
        used_tokens: int = 0,
        ask_password: AskPassword | None = None,
    ) -> Attachment:
        """Copy a file into the store at once (it may vanish) and find out what it is.

        Args:
            path: A regular file; anything else is refused without waiting for it.
            token_budget: For a picture; None is the default of the loaded model.
            used_tokens: Of the context; `auto` leaves room for more than one picture.
            ask_password: Asked about a locked document; without it, that is refused.

        Raises:
            BudgetError: Not one of the token budgets.
            AttachmentError: The file cannot be attached.
            StorageError: It cannot be copied.
            EngineError: Nobody could look into it.
        """
        return await self._intake.attach(path, token_budget, used_tokens, ask_password)

    async def preview(self, attachment: Attachment, *, is_large: bool = False) -> MediaPreview:
        """An attachment in small, `is_large` where pixels are shown; raises as `attach`."""
        path = self._blobs.path_of(attachment.sha256)
        return await self._engine.preview(path, attachment.name, is_large=is_large)

    async def text_of(self, attachment: Attachment) -> str:
        """What is sent of an attached text; a `StorageError` if its stored copy is gone."""
        return await asyncio.to_thread(sent_text, attachment, self._blobs.path_of)

    async def reply(
        self,
        conversation_id: int,
        draft: Draft | None,
        *,
        parent_id: int | None,
        options: GenerationOptions,
    ) -> AsyncGenerator[TurnEvent, None]:
        """Ask, and stream the answer while storing it.

        Whatever can be refused is refused before anything is stored, so the draft is still the
        caller's. From `TurnStarted` on the question is stored and the text so far too, at most
        50 ms late. Closing the generator or cancelling its task stops the engine and keeps the
        text, in state `cancelled`.

        Args:
            conversation_id: A stored conversation; its first question gives it a title.
            draft: The question, or None to answer the question `parent_id` (again).
            parent_id: The message that the question follows; None asks at the root.
            options: Sampling, length, thinking.

        Yields:
            `TurnStarted`, what the engine says, `TurnFinished`.

        Raises:
            UsageError: There is nothing to answer.
            BudgetError: A picture's budget is not one of the token budgets.
            CapabilityError: The loaded model lacks a sense the branch needs.
            GemmaError: What ended the reply; the sentence is stored with it, in state `failed`.
        """
        conversation = await self._store.get(conversation_id)
        earlier = await self._earlier(conversation_id, draft, parent_id)
        await self._prompting.check_media(earlier, draft)
        earlier, draft = await self.sounds.split_turn(earlier, draft)
        prompt = await self._prompting.messages(earlier, draft)
        parts, title = (draft.to_parts(), title_from(draft)) if draft else ((), "")
        adding = self._store.add_turn(
            conversation_id, parent_id, parts, title, thinking=options.thinking
        )
        begun = await begin(self._store, adding, lambda rows: Begun(*rows))
        request = GenerationRequest(prompt, self._system_prompt(conversation), options)
        async with aclosing(self._stream(begun, request)) as events:
            async for event in events:
                yield event

    async def continue_reply(
        self, conversation_id: int, reply_id: int, *, options: GenerationOptions
    ) -> AsyncGenerator[TurnEvent, None]:
        """Let a reply that was cut off go on where it stopped, and stream what is added to it.

        It goes on from the tokens it was made of: without sampling, and with a seed, it says what
        it would have said. The same row grows; whatever ends it this time, nothing it said is lost.
        Unless something is added or it turns out to be complete, the row is as before.

        Args:
            conversation_id: The reply's conversation.
            reply_id: A reply that `is_cut_off`.
            options: As for `reply`, but whether to think was decided when it began.

        Yields:
            `TurnStarted`, what the engine says, with `Resumed` first, `TurnFinished`.

        Raises:
            UsageError: The reply is complete, says nothing yet, or is not in this conversation, or
                the conversation went on behind it.
            CapabilityError: The loaded model lacks a sense the branch needs.
            GemmaError: What ended the reply; the sentence is stored as of `reply` if something was
                added.
        """
        conversation = await self._store.get(conversation_id)
        branch = await self._store.messages(conversation_id, reply_id)
        if not branch or not branch[-1].is_cut_off:
            raise not_cut_off()
        await self._prompting.check_media(branch)
        branch, _ = await self.sounds.split_turn(branch)
        prompt = await self._prompting.messages(branch[:-1])
        begun = await begin(self._store, self._store.resume(reply_id), begun_again)
        options = replace(options, thinking=begun.reply.thinking)
        so_far = to_reply_so_far(begun.reply)
        request = GenerationRequest(
            prompt, self._system_prompt(conversation), options, reply=so_far
        )
        async with aclosing(self._stream(begun, request)) as events:
            async for event in events:
                yield event

    async def stop(self) -> None:
        """Ask the engine to end the running reply, which then says what it cost."""
        await self._engine.cancel()

    async def count(
        self,
        conversation_id: int | None,
        draft: Draft,
        *,
        parent_id: int | None,
        options: GenerationOptions,
    ) -> PromptSize:
        """What asking `draft` takes, exactly but for a sound not split yet; nothing is stored.

        Args:
            conversation_id: Where it would be asked; None is a new conversation.
            draft: The question; an empty one counts what is there already.
            parent_id: The message that it would follow.
            options: How it would be answered.

        Raises:
            BudgetError: A picture's budget is not one of the token budgets.
            ModelError: No model is loaded.
            EngineError: Nobody could count it.
        """
        earlier: tuple[Message, ...] = ()
        system_prompt = self._system_prompt(None)
        if conversation_id is not None:
            system_prompt = self._system_prompt(await self._store.get(conversation_id))
            if parent_id is not None:
                earlier = await self._store.messages(conversation_id, parent_id)
        prompt = await self._prompting.messages(earlier, with_likely_clips(draft))
        return await self._engine.count(GenerationRequest(prompt, system_prompt, options))

    async def _earlier(
        self, conversation_id: int, draft: Draft | None, parent_id: int | None
    ) -> tuple[Message, ...]:
        """The branch the turn continues; a `UsageError` if there is nothing to answer."""
        if draft and draft.is_empty:
            raise UsageError("There is nothing to send.", "Write something or attach a file.")
        earlier = await self._store.messages(conversation_id, parent_id) if parent_id else ()
        if parent_id and not earlier:
            raise UsageError(f"Message {parent_id} is not in this conversation.")
        if draft is None and (not earlier or earlier[-1].role != "user"):
            raise UsageError("Only a question can be answered again.", "Choose a question.")
        return earlier

    async def _stream(
        self, begun: Begun, request: GenerationRequest
    ) -> AsyncGenerator[TurnEvent, None]:
        """The events of a stored turn; whatever ends it, the row is finished before the engine."""
        reply = begun.reply
        row = StreamingReply(self._store, reply)
        async with row, aclosing(self._engine.generate(request)) as events:
            end, finished, writer, is_as_before = CANCELLED, None, reply.model, True
            try:
                yield TurnStarted(begun.question, reply)
                async for event in events:
                    if row.keep(event):
                        writer = self._model_name() or writer  # a crash must not make it nameless
                        is_as_before = False
                    if isinstance(event, Finished):
                        finished = event
                    yield event
                end = end_of(finished)
            except GemmaError as error:
                end = failed(str(error))
                raise
            except Exception as error:
                end = failed(f"A fault in the program ended the reply ({error!r}).")
                raise
            finally:
                if begun.before and is_as_before and end.state is not MessageState.COMPLETE:
                    last = with_end(reply, begun.before)
                else:
                    last = with_end(replace(reply, model=writer or self._model_name()), end)
                stored = await row.finish(last)
        yield TurnFinished(stored)

    def _model_name(self) -> str:
        model = self._engine.state.model
        return model.name if model else ""
