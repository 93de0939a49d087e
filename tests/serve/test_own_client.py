"""The app's own way to a server, on the other side of `gemma-tui serve`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from gemma_tui.conversation import TextPart
from gemma_tui.engine.client import EngineClient
from gemma_tui.engine.remote import RemoteModel
from gemma_tui.generation import GenerationRequest, Media, PromptMessage
from gemma_tui.options import GenerationOptions
from gemma_tui.settings.servers import Server
from tests.engine.scenes import GREEDY, collect, finish_of, text_of

if TYPE_CHECKING:
    from gemma_tui.generation import PromptPart
    from tests.serve.conftest import Served

EXAMPLES = Path(__file__).parents[2] / "assets" / "examples"


def medium(name: str) -> Media:
    path = EXAMPLES / name
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    if name.endswith(".png"):
        return Media("image", sha256, str(path), name, 70, 240, 240)
    return Media("audio", sha256, str(path), name)


def asking(*turns: tuple[PromptPart, ...]) -> GenerationRequest:
    messages = tuple(
        PromptMessage("model" if place % 2 else "user", parts) for place, parts in enumerate(turns)
    )
    return GenerationRequest(messages, options=GenerationOptions(GREEDY, max_tokens=48))


async def test_one_gemma_tui_asks_another(served: Served, tmp_path: Path) -> None:
    """It finds out what the model takes, sends both, and the next turn reads only what is new."""
    engine = EngineClient(tmp_path / "engine.log")
    model = RemoteModel(Server("desk", served.url), served.token, engine)
    try:
        info = await model.connect()
        assert (info.can_see, info.can_hear, info.context_length) == (True, True, 8192)
        look = medium("red-circle.png"), TextPart("What is this?")
        seen = await collect(model.generate(asking(look)))
        assert "red circle" in text_of(seen)
        listen = TextPart("What did I say?"), medium("nine.wav")
        request = asking(look, (TextPart(text_of(seen)),), listen)
        heard = await collect(model.generate(request))
        assert "9" in text_of(heard)
        assert finish_of(heard).usage.cached_tokens >= finish_of(seen).usage.prompt_tokens - 4
    finally:
        await model.close()
        await engine.close()
