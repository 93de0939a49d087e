"""A tool call through the real engine process: by a model whose punctuation means something else."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gemma_tui.tool_call import MalformedToolCall, ToolDeclaration
from tests.engine.scenes import ask, collect, finish_of, text_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.conftest import NewEngine

pytestmark = pytest.mark.asyncio(loop_scope="session")

MEANINGS = {"!": "<|tool_call>", ".": "<|tool_response>"}


def exchange(tiny_model: Path, folder: Path) -> Path:
    """The built-in model, its tokens for `!` and `.` exchanged with control tokens."""
    shutil.copytree(tiny_model, folder)
    content = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    vocabulary = content["model"]["vocab"]
    for mark, name in MEANINGS.items():
        vocabulary[mark], vocabulary[name] = vocabulary[name], vocabulary[mark]
        for token in content["added_tokens"]:
            if token["content"] == name:
                token["id"] = vocabulary[name]
    (folder / "tokenizer.json").write_text(json.dumps(content), "utf-8")
    return folder


async def test_a_call_is_an_event_and_a_response_ends_the_reply(
    new_engine: NewEngine, tiny_model: Path, tmp_path: Path
) -> None:
    engine = new_engine()
    await engine.load(tiny_model)
    request = replace(ask("Hello"), tools=(ToolDeclaration("f", "Does it"),))
    said = text_of(await collect(engine.generate(request)))
    before, _, after = said.partition("!")
    assert before
    assert "." in after
    await engine.load(exchange(tiny_model, tmp_path / "model"))
    events = await collect(engine.generate(request))
    calls = [event for event in events if isinstance(event, MalformedToolCall)]
    assert [call.text for call in calls] == [after.partition(".")[0]]
    assert text_of(events) == before
    assert finish_of(events).reason == "stop"
    # Where nothing can be called, what looks like a call stays in the answer.
    shown = text_of(await collect(engine.generate(ask("Hello"))))
    assert shown == before + after.partition(".")[0]


async def test_declared_tools_are_part_of_the_prompt(
    new_engine: NewEngine, tiny_model: Path
) -> None:
    engine = new_engine()
    await engine.load(tiny_model)
    request = ask("Hello")
    tool = ToolDeclaration("f", "Does it.", {"type": "object", "properties": {}})
    costs = [
        finish_of(await collect(engine.generate(asked))).usage.prompt_tokens
        for asked in (request, replace(request, tools=(tool,)))
    ]
    assert costs[1] > costs[0] + 10
