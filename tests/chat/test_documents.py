"""Parts of texts: as much as fits is attached, other parts are chosen, and the model is told which."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gemma_tui.conversation import Draft, TextPart
from gemma_tui.documents import estimated_tokens, left_out_note
from gemma_tui.engine.interface import EngineState
from gemma_tui.errors import EngineStoppedError, UsageError
from gemma_tui.generation import MediaInfo, PromptSize
from gemma_tui.text_fit import CHARACTERS_PER_TOKEN

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.conversation import Attachment
    from gemma_tui.generation import GenerationRequest
    from tests.chat.conftest import Bench

ROWS = "id,name\n" + "".join(f"{number},row {number}\n" for number in range(5_000))


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


async def attached(bench: Bench, path: Path, context: int = 8192, used: int = 0) -> Attachment:
    bench.engine.media[path.name] = MediaInfo("text", "text/plain")
    model = replace(bench.engine.model, context_length=context)
    bench.engine.set_state(EngineState("ready", model))
    return await bench.chat.attach(path, used_tokens=used)


async def said(bench: Bench, attachment: Attachment) -> str:
    """What a prompt says of an attachment."""
    conversation = await bench.store.create("Texts")
    await bench.ask(conversation.id, Draft("why?", (attachment,)))
    (part,) = bench.engine.requests[-1].messages[-1].parts
    assert isinstance(part, TextPart)
    return part.text


async def test_a_text_that_fits_is_sent_as_it_is(bench: Bench, tmp_path: Path) -> None:
    found = await attached(bench, written(tmp_path, "a.py", "one\ntwo\n"))
    assert (found.segments, left_out_note(found)) == ((), "")
    assert await said(bench, found) == "File “a.py”:\n```python\none\ntwo\n```\n\nwhy?"


async def test_a_table_says_what_it_is(bench: Bench, tmp_path: Path) -> None:
    found = await attached(bench, written(tmp_path, "a.csv", "a;b\n1;2\n"))
    words = (
        "File “a.csv” (1 row, 2 columns separated by semicolons):\n```csv\na;b\n1;2\n```\n\nwhy?"
    )
    assert await said(bench, found) == words
    assert left_out_note(found) == ""


async def test_as_many_rows_are_sent_as_fit(bench: Bench, tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", ROWS)
    found = await attached(bench, path)
    most = 8192 * 3 // 4  # the scripted engine takes a token for a character
    (segment,) = found.segments
    assert most * 0.9 < segment.length < most
    rows = ROWS[: segment.length].count("\n") - 1
    label = f"rows 1-{rows} of 5,000, 2 columns separated by commas"
    assert segment.label == label
    assert f"“a.csv” is long: {label} are attached." in left_out_note(found)
    text = await said(bench, found)
    assert text.startswith(f"File “a.csv” ({label}):\n```csv\nid,name\n0,row 0\n")
    assert text.endswith(f"\n{rows - 1},row {rows - 1}\n```\n\nwhy?")
    assert estimated_tokens([found]) <= 8192 * 3 // 4
    less = await attached(bench, path, used=7_000)
    assert less.segments[0].length < segment.length / 4


async def test_other_rows_are_chosen_with_their_header(bench: Bench, tmp_path: Path) -> None:
    found = await attached(bench, written(tmp_path, "a.csv", ROWS))
    chosen = await bench.chat.documents.choose(found, "100-101, 5000-")
    text = await said(bench, chosen)
    assert "id,name\n…\n99,row 99\n100,row 100\n…\n4999,row 4999\n```" in text
    assert "(rows 100-101, 5000 of 5,000, 2 columns separated by commas)" in text
    assert await bench.chat.text_of(chosen) == text.split("```csv\n")[1].split("\n```")[0]
    whole = await bench.chat.documents.choose(chosen, "all")
    assert whole.segments[0].length == len(ROWS)
    with pytest.raises(UsageError, match="There is no row 5,001"):
        await bench.chat.documents.choose(found, "5001")


async def test_what_was_chosen_is_stored(bench: Bench, tmp_path: Path) -> None:
    found = await attached(bench, written(tmp_path, "a.txt", "one\ntwo\nthree\n"))
    chosen = await bench.chat.documents.choose(found, "2")
    await bench.store.save_draft(None, Draft("", (chosen,)))
    assert (await bench.store.load_draft(None)).attachments == (chosen,)
    assert chosen.segments[0].label == "line 2 of 3"


async def test_while_no_model_is_loaded_a_text_may_be_as_long_as_any_context(
    bench: Bench, tmp_path: Path
) -> None:
    path = written(tmp_path, "a.txt", "x" * 2_500_000)
    bench.engine.media["a.txt"] = MediaInfo("text", "text/plain")
    bench.engine.set_state(EngineState("loading"))
    found = await bench.chat.attach(path)
    assert found.segments[0].label == "characters 1-2,000,000 of 2,500,000"
    model = replace(bench.engine.model, context_length=1_000)
    bench.engine.set_state(EngineState("ready", model))
    fitted = await bench.chat.documents.fit(found, None, 0)
    assert 650 < fitted.segments[0].length < 750


async def test_where_nobody_can_count_the_length_decides(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: object) -> PromptSize:
        raise EngineStoppedError("The engine process stopped.")

    monkeypatch.setattr(bench.engine, "count", fail)
    found = await attached(bench, written(tmp_path, "a.txt", "x" * 50_000))
    assert found.segments[0].length == 8192 * 3 // 4 * CHARACTERS_PER_TOKEN


async def test_all_of_a_text_is_sent_that_fits_by_the_count_of_the_model(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = bench.engine.count

    async def as_prose(request: GenerationRequest) -> PromptSize:
        size = await count(request)
        return replace(size, tokens=size.tokens // 5)

    monkeypatch.setattr(bench.engine, "count", as_prose)
    most = 8192 * 3 // 4
    found = await attached(bench, written(tmp_path, "a.txt", "word " * (most - 100)))
    assert (found.segments, left_out_note(found)) == ((), "")
    longer = await attached(bench, written(tmp_path, "b.txt", "word " * most * 3))
    assert most * 4.5 < longer.segments[0].length < most * 5
