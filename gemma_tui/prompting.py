"""From a branch to the messages of a prompt, as the loaded model can take them."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from gemma_tui.media_check import check_media
from gemma_tui.skipped_sounds import last_question
from gemma_tui.turn import to_prompt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.conversation import Draft, Message
    from gemma_tui.engine.interface import Engine
    from gemma_tui.generation import PromptMessage
    from gemma_tui.storage.blobs import BlobStore


class Prompting:
    """Makes prompts.

    Args:
        blobs: Where the bytes of attachments are.
        engine: Has the model.
    """

    def __init__(self, blobs: BlobStore, engine: Engine) -> None:
        self._path_of = blobs.path_of
        self._engine = engine

    async def check_media(self, branch: Sequence[Message], draft: Draft | None = None) -> None:
        """Refuse attachments that cannot be answered about, as `media_check.check_media` does.

        Sounds of earlier questions are no reason: a model that cannot hear skips them.

        Args:
            branch: From the root down; without a draft, its last question is what is asked.
            draft: What is asked behind it.
        """
        model = self._engine.state.model
        is_deaf = model is not None and not model.can_hear
        question = last_question(branch) if draft is None else None
        found = [
            known
            for message in branch
            for known in message.attachments
            if message is question or not (is_deaf and known.kind == "audio")
        ]
        found += draft.attachments if draft else ()
        if found:
            await asyncio.to_thread(check_media, found, self._path_of, model)

    async def messages(
        self, branch: tuple[Message, ...], draft: Draft | None = None
    ) -> tuple[PromptMessage, ...]:
        """As `to_prompt`; what a model cannot hear is left out but for what is asked about."""
        model = self._engine.state.model
        make = partial(to_prompt, can_hear=model is None or model.can_hear)
        return await asyncio.to_thread(make, branch, self._path_of, draft)
