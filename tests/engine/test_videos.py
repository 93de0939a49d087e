"""Videos through a real chat: their frames seen by the built-in model, counted, remembered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from PIL import Image

from gemma_tui.conversation import Draft
from gemma_tui.generation import MediaProgress
from gemma_tui.options import GenerationOptions
from gemma_tui.preprocessing.media_cost import soft_token_count
from gemma_tui.turn import TurnFinished
from gemma_tui.videos import frames_of, without_sound
from tests.engine.scenes import GREEDY
from tests.preprocessing.videos import encoded_video

if TYPE_CHECKING:
    from gemma_tui.chat import Chat
    from gemma_tui.conversation import Message
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.turn import TurnEvent

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"
OPTIONS = GenerationOptions(sampling=GREEDY, max_tokens=16)


def slides(path: Path, *names: str) -> Path:
    """A second of each picture."""
    with av.open(str(path), "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 240, 240, "yuv420p"
        for name in names:
            with Image.open(EXAMPLES / name) as picture:
                shown = np.asarray(picture.convert("RGB").resize((240, 240)))
            for _ in range(10):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, "rgb24")))
        container.mux(stream.encode(None))
    return path


async def asked(
    chat: Chat, store: ConversationStore, draft: Draft, parent: Message | None = None
) -> tuple[Message, list[TurnEvent]]:
    conversation_id = parent.conversation_id if parent else (await store.create("t")).id
    reply = chat.reply(
        conversation_id, draft, parent_id=parent.id if parent else None, options=OPTIONS
    )
    events = [event async for event in reply]
    assert isinstance(events[-1], TurnFinished)
    return events[-1].reply, events


@pytest.mark.parametrize(
    ("name", "word"), [("blue-star.png", "star"), ("red-circle.png", "circle")]
)
async def test_the_model_sees_what_is_in_a_video(
    chat: Chat, store: ConversationStore, tmp_path: Path, name: str, word: str
) -> None:
    film = await chat.attach(slides(tmp_path / "film.mp4", name))
    assert (film.media_type, film.token_budget) == ("video/mp4", 70)
    assert len(frames_of(film)) == 1
    reply, _ = await asked(chat, store, Draft("What is this?", (film,)))
    assert word in reply.text


async def test_frames_are_read_with_progress_and_once(
    chat: Chat, store: ConversationStore, tmp_path: Path
) -> None:
    film = await chat.attach(slides(tmp_path / "film.mp4", "blue-star.png", "red-circle.png"))
    reply, events = await asked(chat, store, Draft("Hm?", (film,)))
    cost = await chat.count(None, Draft("Hm?", (film,)), parent_id=None, options=OPTIONS)
    assert cost.media_tokens == soft_token_count(film) == 2 * 64
    assert reply.usage is not None
    assert reply.usage.prompt_tokens == cost.tokens
    progress = [event for event in events if isinstance(event, MediaProgress)]
    assert progress[-1] == MediaProgress(2, 2)
    again, _ = await asked(chat, store, Draft("And now?"), reply)
    assert again.usage is not None
    assert again.usage.cached_tokens >= cost.media_tokens


async def test_its_sound_costs_what_is_said_and_can_be_left_out(
    chat: Chat, store: ConversationStore, tmp_path: Path
) -> None:
    path = tmp_path / "loud.mp4"
    path.write_bytes(encoded_video("mp4", "mpeg4", range(0, 1000, 100), sound_seconds=1.0))
    film = await chat.attach(path)
    for sent in (film, without_sound(film)):
        reply, _ = await asked(chat, store, Draft("Hm?", (sent,)))
        cost = await chat.count(None, Draft("Hm?", (sent,)), parent_id=None, options=OPTIONS)
        assert cost.media_tokens == soft_token_count(sent)
        assert reply.usage is not None
        assert reply.usage.prompt_tokens == cost.tokens
    stored = (await store.messages(reply.conversation_id))[0].attachments
    assert stored == (replace(film, segments=frames_of(film)),)
