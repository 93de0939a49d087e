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
    from gemma_tui.serve.request_media import RequestMedia


class Answering:
    """Answers requests with the loaded model, one after the other.

    Args:
        engine: Has the model.
        queue: Who is next.
        defaults: How a reply is written where a request says nothing.
    """

    def __init__(self, engine: Engine, queue: FairQueue, defaults: GenerationOptions) -> None:
        self._engine = engine
        self._queue = queue
        self.defaults = defaults

    @property
    def model(self) -> ModelInfo:
        """The loaded model.

        Raises:
            ApiRequestError: None is loaded now, as after a crash of the engine (status 503).
        """
        state = self._engine.state
        if state.model is None:
            problem = state.problem or "No model is loaded now."
            hint = "Try again in a moment."
            raise ApiRequestError(problem, hint, status=503, code="model_not_ready")
        return state.model

    def check_model(self, name: str) -> None:
        """Refuse a request for another model than the loaded one.

        Raises:
            ApiRequestError: It is (status 404), or none is loaded now.
        """
        info = self.model
        if name not in {"", info.name, model_id(info)}:
            raise ApiRequestError(
                f"There is no model “{sanitize_line(name)}” here.",
                f"The one that is loaded is called {model_id(info)}.",
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
        async with self._queue.turn(client), request_media(self._engine) as media:
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
