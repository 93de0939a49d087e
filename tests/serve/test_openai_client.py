"""What OpenAI's own client gets from the real command, engine and model."""

from __future__ import annotations

import base64
import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import openai
import pytest

from gemma_tui.generation import Finished, PrefillProgress, TextDelta, ThoughtDelta
from gemma_tui.tool_call import ToolCall
from tests.engine.scenes import endless
from tests.scripted_engine import USAGE
from tests.scripted_program import SCRIPT
from tests.scripted_worker import write_script
from tests.serve.conftest import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gemma_tui.generation import GenerationEvent
    from tests.serve.conftest import Served, Server

EXAMPLES = Path(__file__).parents[2] / "assets" / "examples"
MODEL = "built-in-demo"


def data_of(name: str) -> str:
    return base64.b64encode((EXAMPLES / name).read_bytes()).decode()


def picture(name: str, detail: str = "auto") -> dict[str, Any]:
    url = f"data:image/png;base64,{data_of(name)}"
    return {"type": "image_url", "image_url": {"url": url, "detail": detail}}


def ask(served: Served, *messages: Any, **options: Any) -> Any:
    """A reply, always the same one."""
    return served.client().chat.completions.create(
        model=MODEL, messages=list(messages), temperature=0, **options
    )


def user(*content: Any) -> dict[str, Any]:
    """A message; texts are parts like the others."""
    parts = [{"type": "text", "text": item} if isinstance(item, str) else item for item in content]
    return {"role": "user", "content": parts}


def test_a_chat_is_answered_and_its_second_turn_reads_only_what_is_new(served: Served) -> None:
    first = ask(served, {"role": "user", "content": "Who are you?"})
    answer = first.choices[0].message.content
    assert answer
    assert first.choices[0].finish_reason == "stop"
    assert first.usage.total_tokens == first.usage.prompt_tokens + first.usage.completion_tokens
    second = ask(
        served,
        {"role": "user", "content": "Who are you?"},
        {"role": "assistant", "content": answer},
        {"role": "user", "content": "hello"},
    )
    known = second.usage.prompt_tokens_details.cached_tokens
    assert known >= first.usage.prompt_tokens + first.usage.completion_tokens - 8
    assert second.usage.prompt_tokens - known < 16


def test_a_stream_says_the_same_in_pieces_and_what_it_cost(served: Served) -> None:
    question = {"role": "user", "content": "hello"}
    whole = ask(served, question).choices[0].message.content
    chunks = list(ask(served, question, stream=True, stream_options={"include_usage": True}))
    assert [chunk.choices for chunk in chunks[-1:]] == [[]]
    assert chunks[-1].usage.completion_tokens > 3
    deltas = [chunk.choices[0] for chunk in chunks[:-1]]
    assert deltas[0].delta.role == "assistant"
    assert "".join(choice.delta.content or "" for choice in deltas) == whole
    assert [choice.finish_reason for choice in deltas if choice.finish_reason] == ["stop"]
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_picture_is_seen(served: Served) -> None:
    reply = ask(served, user("What is this?", picture("red-circle.png")))
    assert "red circle" in reply.choices[0].message.content.lower()
    assert list((served.log.parent / "temporary").iterdir()) == []  # nothing of it is left


def test_a_recording_is_heard(served: Served) -> None:
    sound = {"type": "input_audio", "input_audio": {"data": data_of("nine.wav"), "format": "wav"}}
    reply = ask(served, user("What did I say?", sound))
    assert "9" in reply.choices[0].message.content


def test_a_picture_of_an_earlier_turn_is_not_looked_at_again(served: Served) -> None:
    question = user("What is this?", picture("blue-star.png"))
    first = ask(served, question)
    again = {"role": "assistant", "content": first.choices[0].message.content}
    second = ask(served, question, again, {"role": "user", "content": "hello"})
    assert second.usage.prompt_tokens_details.cached_tokens >= first.usage.prompt_tokens - 4


def test_several_at_once_are_answered_one_after_the_other(served: Served) -> None:
    def answered(name: str) -> tuple[int, str]:
        reply = ask(served, {"role": "user", "content": "hello"}, user=name)
        return reply.usage.completion_tokens, reply.choices[0].finish_reason

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(answered, "abcd"))) == 1


def test_bounds_and_stops_hold(served: Served) -> None:
    question = {"role": "user", "content": "hello"}
    short = ask(served, question, max_tokens=3)
    assert (short.choices[0].finish_reason, short.usage.completion_tokens) == ("length", 3)
    newer = ask(served, question, max_completion_tokens=2, max_tokens=3)
    assert newer.usage.completion_tokens == 2
    whole = ask(served, question).choices[0].message.content
    stopped = ask(served, question, stop=[whole[4:7]])
    assert stopped.choices[0].message.content == whole[:4]


def test_declared_tools_are_read_unless_none_is_to_be_called(served: Served) -> None:
    question = {"role": "user", "content": "hello"}
    tool = {"type": "function", "function": {"name": "clock", "description": "Tells the time."}}
    costs = [
        ask(served, question, **options, max_tokens=1).usage.prompt_tokens
        for options in ({}, {"tools": [tool]}, {"tools": [tool], "tool_choice": "none"})
    ]
    assert costs[0] == costs[2] < costs[1]


def test_models_are_listed(served: Served) -> None:
    (model,) = served.client().models.list().data
    assert model.id == MODEL
    assert model.model_extra == {
        "context_length": 8192,
        "input_modalities": ["text", "image", "audio"],
    }


@pytest.mark.parametrize(
    ("options", "parameter"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"extra_body": {"guided_json": {}}}, "guided_json"),
        ({"temperature": 3}, "temperature"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(
    served: Served, options: dict[str, Any], parameter: str
) -> None:
    asked: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}]}
    with pytest.raises(openai.BadRequestError) as caught:
        served.client().chat.completions.create(**(asked | options))
    assert caught.value.param == parameter
    assert caught.value.type == "invalid_request_error"
    assert f"“{parameter}”" in caught.value.message


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}, "connects to"),
        ({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}, "connects to nobody"),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,!!"}}, "no base64"),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}, "image_url"),
        ({"type": "video_url", "video_url": {"url": "data:,"}}, "is video_url"),
        ({"type": "input_audio", "input_audio": {"data": "aGVsbG8="}}, "input_audio"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    served: Served, part: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=sentence) as caught:
        ask(served, user("What is this?", part))
    assert str(caught.value.param).startswith("messages[0].content[1]")


def test_a_prompt_that_does_not_fit_says_so_before_a_stream_begins(served: Served) -> None:
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as caught:
            ask(served, {"role": "user", "content": "hello " * 9000}, stream=stream)
        assert caught.value.code == "context_length_exceeded"


def test_another_model_is_not_found(served: Served) -> None:
    with pytest.raises(openai.NotFoundError, match="built-in-demo"):
        served.client().chat.completions.create(
            model="gpt-9", messages=[{"role": "user", "content": "hi"}]
        )


def test_without_the_token_nothing_is_answered(served: Served) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        served.client("a wrong one").models.list()
    assert caught.value.code == "invalid_api_key"


@pytest.fixture(scope="module")
def endless_served(
    start: Server, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("endless")
    with start(folder, "--model", str(endless(tiny_model, folder))) as server:
        yield server


def begun(served: Served, **options: Any) -> Any:
    """A stream of a reply that does not end, read up to its first words."""
    stream = served.client().chat.completions.create(
        model="",
        messages=[{"role": "user", "content": "Count"}],
        stream=True,
        max_tokens=8000,
        **options,
    )
    while not next(stream).choices[0].delta.content:
        pass
    return stream


def wait_for(served: Served, words: str, times: int = 1) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while served.log.read_text().count(words) < times:
        assert time.monotonic() < deadline, served.log.read_text()
        time.sleep(0.02)


def test_a_client_that_goes_away_cancels_its_reply_and_the_next_has_its_turn(
    endless_served: Served,
) -> None:
    begun(endless_served).close()
    wait_for(endless_served, "given up")
    short = endless_served.client().chat.completions.create(
        model="", messages=[{"role": "user", "content": "hello"}], max_tokens=4
    )
    assert short.usage is not None
    assert short.usage.completion_tokens == 4
    impatient = endless_served.client().with_options(timeout=2)
    with pytest.raises(openai.APITimeoutError):
        impatient.chat.completions.create(
            model="", messages=[{"role": "user", "content": "hello"}], max_tokens=8000
        )
    wait_for(endless_served, "given up", times=2)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_in_the_middle_of_a_reply(
    start: Server, tiny_model: Path, tmp_path: Path, number: int, code: int
) -> None:
    with start(tmp_path, "--model", str(endless(tiny_model, tmp_path))) as server:
        stream = begun(server)
        assert server.end(number) == code
        with pytest.raises(openai.APIError, match="The server ends"):
            list(stream)
        assert "Traceback" not in server.log.read_text()


def scripted(start: Server, home: Path, *replies: Any) -> Any:
    script = write_script(home / "script", replies)
    (home / "model").mkdir()
    arguments = "--model", str(home / "model")
    return start(home, *arguments, module="tests.scripted_program", environ={SCRIPT: str(script)})


@pytest.mark.parametrize("stream", [False, True])
def test_tools_are_called_and_their_results_go_back(
    start: Server, tmp_path: Path, stream: Literal[False, True]
) -> None:
    """The built-in model calls no tools, so an engine process that was told to does."""
    replies: list[list[GenerationEvent]] = [
        [
            PrefillProgress(1, 2),
            ThoughtDelta("The clock knows."),
            ToolCall("clock", {"zone": "UTC"}),
        ],
        [TextDelta("It is noon.")],
    ]
    ended = [[*reply, Finished("stop", USAGE)] for reply in replies]
    with scripted(start, tmp_path, *ended) as server:
        client = server.client()
        question: list[Any] = [{"role": "user", "content": "What time is it?"}]
        tool: Any = {"type": "function", "function": {"name": "clock", "description": "Time."}}
        if stream:
            thought, calls, reason = "", {}, ""
            for chunk in client.chat.completions.create(
                model="model", messages=question, tools=[tool], stream=True
            ):
                (choice,) = chunk.choices
                thought += (choice.delta.model_extra or {}).get("reasoning_content") or ""
                for call in choice.delta.tool_calls or []:
                    calls[call.index] = call
                reason = choice.finish_reason or reason
            call = calls[0]
        else:
            (choice,) = client.chat.completions.create(
                model="model", messages=question, tools=[tool]
            ).choices
            thought = (choice.message.model_extra or {})["reasoning_content"]
            (call,) = choice.message.tool_calls
            reason = choice.finish_reason
        assert (thought, reason) == ("The clock knows.", "tool_calls")
        assert (call.function.name, json.loads(call.function.arguments)) == (
            "clock",
            {"zone": "UTC"},
        )
        said = {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": "clock", "arguments": call.function.arguments},
                }
            ],
        }
        result = {"role": "tool", "tool_call_id": call.id, "content": "12:00"}
        final = client.chat.completions.create(
            model="model", messages=[*question, said, result], tools=[tool]
        )
        assert final.choices[0].message.content == "It is noon."
