"""One request answered: a turn in the queue, its media, and the engine's events."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from gemma_tui.errors import ApiRequestError
from gemma_tui.generation import GenerationRequest, PromptMessage
from gemma_tui.sanitize import sanitize_line
from gemma_tui.serve.request_media import request_media

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gemma_tui.engine.interface import Engine
    from gemma_tui.generation import GenerationEvent, ModelInfo
    from gemma_tui.options import GenerationOptions
    from gemma_tui.serve.chat_request import ChatRequest
    from gemma_tui.serve.fair_queue import FairQueue
    from gemma_tui.serve.idle import IdleSuspension
    from gemma_tui.serve.request_media import RequestMedia


class Answering:
    """Answers requests with one model, one after the other.

    Args:
        engine: Has the model, or loads it when it is needed.
        model: Which one that is.
        queue: Who is next.
        idle: Frees the model's memory when nobody asks.
        defaults: How a reply is written where a request says nothing.
    """

    def __init__(
        self,
        engine: Engine,
        model: ModelInfo,
        queue: FairQueue,
        idle: IdleSuspension,
        defaults: GenerationOptions,
    ) -> None:
        self._engine = engine
        self._queue = queue
        self._idle = idle
        self.model = model
        self.defaults = defaults

    def check_model(self, name: str) -> None:
        """Refuse a request for another model than the loaded one.

        Raises:
            ApiRequestError: It is (status 404).
        """
        if name not in {"", self.model.name, model_id(self.model)}:
            raise ApiRequestError(
                f"There is no model “{sanitize_line(name)}” here.",
                f"The one that answers is called {model_id(self.model)}.",
                parameter="model",
                status=404,
                code="model_not_found",
            )

    async def events(
        self, asked: ChatRequest, client: str
    ) -> AsyncGenerator[GenerationEvent, None]:
        """Wait for a turn and stream the reply; closing the generator cancels it.

        Raises:
            ApiRequestError: Too many wait, or a medium cannot be used.
            GemmaError: Whatever kept the reply from being finished.
        """
        budget = self.model.default_token_budget
        async with self._queue.turn(client), request_media(self._engine, budget) as media:
            with self._idle.in_use():
                request = await self._prompt(asked, media)
                async with aclosing(self._engine.generate(request)) as events:
                    async for event in events:
                        yield event

    async def _prompt(self, asked: ChatRequest, media: RequestMedia) -> GenerationRequest:
        messages = [
            PromptMessage(message.role, await media.prompt_parts(message.parts))
            for message in asked.conversation.messages
        ]
        return GenerationRequest(
            tuple(messages),
            system_prompt=asked.conversation.system_prompt,
            options=asked.options,
            tools=asked.tools,
        )


def model_id(info: ModelInfo) -> str:
    """What clients call a model: its name without spaces, such as `gemma-4-e2b`."""
    words = "".join(c if c.isalnum() or c in "._" else " " for c in info.name.casefold()).split()
    return "-".join(words)
