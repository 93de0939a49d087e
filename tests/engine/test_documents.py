"""Pages of a PDF through a real chat: chosen, counted, seen by the built-in model, stored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from gemma_tui.conversation import Attachment, Draft
from gemma_tui.documents import left_out_note, pages_in_words
from gemma_tui.errors import UsageError
from gemma_tui.generation import MediaProgress
from gemma_tui.options import GenerationOptions
from gemma_tui.preprocessing.picture_cost import picture_tokens
from gemma_tui.turn import TurnFinished
from tests.engine.scenes import GREEDY
from tests.preprocessing import documents

if TYPE_CHECKING:
    from gemma_tui.chat import Chat
    from gemma_tui.conversation import Message
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.turn import TurnEvent

pytest.importorskip("pypdfium2", reason="the extra gemma-tui[pdf] is not installed")
pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"
OPTIONS = GenerationOptions(sampling=GREEDY, max_tokens=16)
ASKED = Draft("What is in the picture?")


def album(folder: Path) -> Path:
    """A page with a star, an empty one, and one with a circle."""
    pictures = []
    for name in ("blue-star.png", "red-circle.png"):
        with Image.open(EXAMPLES / name) as picture:
            pictures.append(picture.convert("RGB").resize((96, 96)))
    path = folder / "album.pdf"
    path.write_bytes(documents.album(pictures[0], None, pictures[1]))
    return path


async def ask(
    chat: Chat, store: ConversationStore, draft: Draft
) -> tuple[Message, list[TurnEvent]]:
    conversation = await store.create("Pages")
    reply = chat.reply(conversation.id, draft, parent_id=None, options=OPTIONS)
    events = [event async for event in reply]
    assert isinstance(events[-1], TurnFinished)
    return events[-1].reply, events


def with_file(attachment: Attachment) -> Draft:
    return replace(ASKED, attachments=(attachment,))


async def test_the_model_sees_the_page_that_was_chosen(
    chat: Chat, store: ConversationStore, tmp_path: Path
) -> None:
    whole = await chat.attach(album(tmp_path))
    assert pages_in_words(whole) == "3 pages"
    for selection, shape, word in (("1", "star", "blue"), ("3", "circle", "red")):
        page = await chat.documents.choose(whole, selection)
        reply, _ = await ask(chat, store, with_file(page))
        assert shape in reply.text.lower()
        assert word in reply.text.lower()


async def test_what_is_shown_is_what_the_prompt_takes(
    chat: Chat, store: ConversationStore, tmp_path: Path
) -> None:
    whole = await chat.attach(album(tmp_path))
    some = await chat.documents.choose(whole, "3, 1")
    assert pages_in_words(some) == "pages 1, 3 of 3"
    for attachment in (whole, some):
        draft = with_file(attachment)
        size = await chat.count(None, draft, parent_id=None, options=OPTIONS)
        assert size.media_tokens == picture_tokens(attachment)
        reply, events = await ask(chat, store, draft)
        assert reply.usage is not None
        assert reply.usage.prompt_tokens == size.tokens
        count = len(attachment.segments)
        assert MediaProgress(count, count) in events


async def test_pages_are_stored_with_the_message(
    chat: Chat, store: ConversationStore, tmp_path: Path
) -> None:
    page = await chat.documents.choose(await chat.attach(album(tmp_path)), "2-")
    reply, _ = await ask(chat, store, with_file(page))
    asked = (await store.messages(reply.conversation_id))[0]
    assert asked.attachments == (page,)


async def test_as_many_pages_are_attached_as_fit(chat: Chat, tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    path.write_bytes(documents.pdf([b""] * 300))
    found = await chat.attach(path)
    model = chat.default_token_budget
    assert found.token_budget == model == 70
    assert 0 < picture_tokens(found) <= 8192 * 3 // 4
    each = picture_tokens(found) // len(found.segments)
    assert picture_tokens(found) + each > 8192 * 3 // 4
    assert f"has 300 pages: the first {len(found.segments)} are attached" in left_out_note(found)
    larger = await chat.attach(path, token_budget=1120, used_tokens=2000)
    assert len(larger.segments) == 4
    full = await chat.attach(path, used_tokens=8192)
    assert (len(full.segments), full.token_budget) == (1, 70)
    for attachment in (found, larger):
        size = await chat.count(None, with_file(attachment), parent_id=None, options=OPTIONS)
        assert size.excess == 0


async def test_auto_gives_every_page_its_share(chat: Chat, tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    path.write_bytes(documents.pdf([documents.words("one")] * 20))
    whole = await chat.documents.choose(await chat.attach(path, token_budget=560), "all")
    assert len(whole.segments) == 20
    chosen = await chat.pictures.auto_budget(whole)
    assert (chosen.budget, chosen.reason) == (280, "little context left")


async def test_a_picture_has_no_pages(chat: Chat) -> None:
    star = await chat.attach(EXAMPLES / "blue-star.png")
    with pytest.raises(UsageError, match="has no parts to choose from"):
        await chat.documents.choose(star, "1")
