"""Replies of a server: streamed, cancelled, refused, broken off. Real sockets on loopback."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from gemma_tui.conversation import TextPart, ThoughtPart
from gemma_tui.engine import remote as remote_module
from gemma_tui.engine import sse
from gemma_tui.engine.remote import RemoteModel
from gemma_tui.errors import (
    BrokenReplyError,
    ContextOverflowError,
    GemmaError,
    RefusedByServerError,
    ServerError,
    UnreachableServerError,
    UsageError,
)
from gemma_tui.generation import (
    Finished,
    GenerationRequest,
    PrefillProgress,
    PromptMessage,
    ReplySoFar,
    TextDelta,
    ThoughtDelta,
    TurnsLeftOut,
)
from gemma_tui.options import GenerationOptions, SamplingOptions
from gemma_tui.settings.servers import Server
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolDeclaration, ToolResult
from tests.remote.scripted_server import (
    DONE,
    STREAM,
    Pause,
    ScriptedServer,
    chunk,
    json_response,
    response,
    said,
    scripted_server,
)

if TYPE_CHECKING:
    from gemma_tui.engine.media_requests import Encode
    from gemma_tui.generation import GenerationEvent, MediaInfo

KEY = "sk-very-secret-0123456789"


class NoEncoder:
    """For prompts without media."""

    async def encode(self, request: Encode) -> MediaInfo:
        raise AssertionError(request)


def model_of(server: ScriptedServer, key: str = "", **settings: Any) -> RemoteModel:
    given = {"sees": True, "hears": True, "context": 4096, **settings}
    return RemoteModel(Server("studio", server.url, **given), key, NoEncoder())


def asking(text: str = "Hello?", **more: Any) -> GenerationRequest:
    return GenerationRequest((PromptMessage("user", (TextPart(text),)),), **more)


async def reply_of(
    model: RemoteModel, request: GenerationRequest | None = None
) -> list[GenerationEvent]:
    try:
        async with asyncio.timeout(60):
            return [event async for event in model.generate(request or asking())]
    finally:
        await model.close()


def text_of(events: list[GenerationEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def thought_of(events: list[GenerationEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, ThoughtDelta))


async def test_a_reply_streams_and_says_what_it_cost() -> None:
    async with scripted_server() as server:
        server.reply(said("Hel", "lo", " 🦜"))
        events = await reply_of(model_of(server, KEY))
    assert text_of(events) == "Hello 🦜"
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert (finished.reason, finished.usage.prompt_tokens, finished.usage.generated_tokens) == (
        "stop",
        11,
        3,
    )
    assert finished.usage.prefill_seconds > 0
    assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    body = server.bodies[0]
    assert body["model"] == "gemma"
    assert body["stream"] is True
    assert body["messages"] == [{"role": "user", "content": "Hello?"}]
    assert "temperature" not in body
    assert body["chat_template_kwargs"] == {"enable_thinking": False}


async def test_bytes_may_be_cut_anywhere() -> None:
    async with scripted_server() as server:
        whole = b"".join(p for p in said("Gr", "üße 🦜") if isinstance(p, bytes))
        whole = whole.replace(b"\n\n", b"\r\n\r\n").replace(
            b"data: [DONE]", b": ping\r\ndata:[DONE]"
        )
        server.reply([STREAM, *(whole[len(STREAM) :][i : i + 1] for i in range(len(whole)))])
        assert text_of(await reply_of(model_of(server))) == "Grüße 🦜"


async def test_comments_tell_how_far_the_prompt_is_read() -> None:
    async with scripted_server() as server:
        told = b": keepalive 5/20\n\n: ping\n\n: reading the prompt, 30 of 20 tokens\n\n: keepalive 0/0\n"
        start, *rest = said("ok")
        server.reply([start, told, *rest])
        events = await reply_of(model_of(server))
    assert events[:2] == [PrefillProgress(5, 20), PrefillProgress(20, 20)]
    assert text_of(events) == "ok"
    assert len(events) == 4


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
async def test_thoughts_in_a_field_are_thoughts(name: str) -> None:
    async with scripted_server() as server:
        pieces = [chunk({name: "\nLet me"}), chunk({name: " see."}), chunk({"content": "4"})]
        server.reply([STREAM, *pieces, chunk(reason="stop"), DONE])
        events = await reply_of(model_of(server))
    assert (thought_of(events), text_of(events)) == ("Let me see.", "4")


@pytest.mark.parametrize(
    ("text", "thought", "answer"),
    [
        ("<think>\nhm\n</think>\n\n4", "hm", "4"),
        ("<|channel>thought\nhm <b\n<channel|>4", "hm <b", "4"),
        ("<think></think>4", "", "4"),
        ("  a <think> b", "", "  a <think> b"),
        ("<", "", "<"),
        ("<think>cut", "cut", ""),
    ],
)
async def test_thoughts_in_the_text_are_told_apart(text: str, thought: str, answer: str) -> None:
    async with scripted_server() as server:
        for size in (1, 3, 100):
            cut = [text[i : i + size] for i in range(0, len(text), size)]
            server.reply(said(*cut))
            events = await reply_of(model_of(server))
            assert (thought_of(events), text_of(events)) == (thought, answer)


async def test_a_server_that_does_not_stream_answers_in_one_piece() -> None:
    async with scripted_server() as server:
        choice = {"message": {"role": "assistant", "content": "Hello."}, "finish_reason": "length"}
        usage = {"prompt_tokens": 3, "completion_tokens": 2}
        server.reply([json_response({"choices": [choice], "usage": usage})])
        events = await reply_of(model_of(server))
    assert text_of(events) == "Hello."
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "length"


async def test_tool_calls_come_in_pieces_and_go_back_with_their_results() -> None:
    tool = ToolDeclaration("clock", "What time it is.", {"type": "object", "properties": {}})
    call = ToolCall("clock", {"zone": "UTC"})
    history = (
        PromptMessage("user", (TextPart("Time?"),)),
        PromptMessage("model", (ThoughtPart("hm"), call, ToolResult("clock", {"now": "12:00"}))),
    )
    async with scripted_server() as server:
        function = {"name": "clock", "arguments": '{"zone":'}
        first = chunk({"tool_calls": [{"index": 0, "id": "x", "function": function}]})
        second = chunk({"tool_calls": [{"index": 0, "function": {"arguments": ' "UTC"}'}}]})
        broken = {"index": 1, "function": {"name": "clock", "arguments": "{"}}
        third = chunk({"tool_calls": [broken]}, reason="tool_calls")
        server.reply([STREAM, first, second, third, DONE], said("Noon."))
        model = model_of(server)
        events = [e async for e in model.generate(asking(tools=(tool,)))]
        await reply_of(model, GenerationRequest(history, tools=(tool,)))
    assert events[0] == call
    assert isinstance(events[1], MalformedToolCall)
    assert isinstance(events[2], Finished)
    assert events[2].reason == "stop"
    assert server.bodies[0]["tools"][0]["function"]["name"] == "clock"
    sent = server.bodies[1]["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool"]
    assert sent[1]["tool_calls"][0]["id"] == sent[2]["tool_call_id"]
    assert json.loads(sent[1]["tool_calls"][0]["function"]["arguments"]) == {"zone": "UTC"}


async def test_what_the_user_wants_of_sampling_is_sent() -> None:
    sampling = SamplingOptions(temperature=0.5, top_k=5, seed=7, min_p=0.1, repetition_penalty=1.2)
    options = GenerationOptions(sampling, max_tokens=9, thinking=True, stop=("###",))
    async with scripted_server() as server:
        server.reply(said("ok"))
        request = asking(options=options, system_prompt="Be brief.")
        await reply_of(model_of(server), request)
    body = server.bodies[0]
    wanted = {"temperature": 0.5, "top_k": 5, "seed": 7, "min_p": 0.1, "max_tokens": 9}
    assert wanted.items() <= body.items()
    assert body["repetition_penalty"] == 1.2
    assert body["stop"] == ["###"]
    assert body["chat_template_kwargs"] == {"enable_thinking": True}
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}


async def test_a_server_that_knows_few_fields_is_asked_without_the_others() -> None:
    refused = json_response({"error": {"message": "Unknown parameter: top_k"}}, 400)
    async with scripted_server() as server:
        server.reply([refused], [refused], said("one"), said("two"))
        model = model_of(server)
        options = GenerationOptions(SamplingOptions(temperature=0.0, top_k=5))
        first = [e async for e in model.generate(asking(options=options))]
        second = await reply_of(model, asking(options=options))
    assert (text_of(first), text_of(second)) == ("one", "two")
    assert ["top_k" in body for body in server.bodies] == [True, True, False, False]
    asked = ["reasoning_effort" in body for body in server.bodies]
    assert asked == [False, True, False, False]
    assert server.bodies[3]["temperature"] == 0.0


async def test_cancelling_closes_the_connection_and_keeps_the_text() -> None:
    async with scripted_server() as server:
        pause = Pause()
        server.reply([STREAM, chunk({"content": "Once"}), pause, *said("never")])
        model = model_of(server)
        seen: list[GenerationEvent] = []

        async def read() -> None:
            async for event in model.generate(asking()):
                seen.append(event)
                if isinstance(event, TextDelta):
                    model.cancel()

        async with asyncio.timeout(60):
            await read()
            await server.hung_up.wait()
        await model.close()
    assert text_of(seen) == "Once"
    assert isinstance(seen[-1], Finished)
    assert seen[-1].reason == "cancelled"


async def test_cancelling_before_the_first_word_closes_the_connection() -> None:
    async with scripted_server() as server:
        pause = Pause()
        server.reply([pause])
        model = model_of(server)
        reading = asyncio.ensure_future(reply_of(model))
        async with asyncio.timeout(60):
            await pause.reached.wait()
            model.cancel()
            events = await reading
            await server.hung_up.wait()
    assert [type(event) for event in events] == [Finished]


async def test_leaving_the_stream_closes_the_connection() -> None:
    async with scripted_server() as server:
        server.reply([STREAM, chunk({"content": "Once"}), Pause()])
        model = model_of(server)
        stream = model.generate(asking())
        async with asyncio.timeout(60):
            assert isinstance(await anext(stream), TextDelta)
            await stream.aclose()
            await server.hung_up.wait()
        await model.close()


REFUSALS = [
    (401, RefusedByServerError, "wants a key", "gemma-tui servers key studio"),
    (403, RefusedByServerError, "does not allow", ""),
    (404, RefusedByServerError, "no model “gemma”", "servers test studio"),
    (413, RefusedByServerError, "so much at once", ""),
    (422, RefusedByServerError, "did not understand", ""),
    (429, RefusedByServerError, "too much at the moment", "Wait"),
    (307, RefusedByServerError, "sends one elsewhere", ""),
    (500, ServerError, "failed", "log"),
    (503, ServerError, "is not ready", "loading"),
]


@pytest.mark.parametrize(("status", "kind", "words", "hint"), REFUSALS)
async def test_a_refusal_is_a_sentence(
    status: int, kind: type[GemmaError], words: str, hint: str
) -> None:
    message = f"no \x1b[31m{KEY}\x07 for you"
    async with scripted_server() as server:
        server.reply([json_response({"error": {"message": message}}, status)])
        with pytest.raises(kind) as caught:
            await reply_of(model_of(server, KEY))
    said_of_it = str(caught.value)
    assert words in said_of_it
    assert hint in said_of_it
    assert f"HTTP {status}" in said_of_it
    assert "for you" in said_of_it
    assert KEY not in said_of_it
    assert "\x1b" not in said_of_it


async def test_a_redirect_is_not_followed() -> None:
    async with scripted_server() as thief, scripted_server() as server:
        place = f"Location: {thief.url}/chat/completions\r\n"
        server.reply([response(307, b"", extra=place)])
        with pytest.raises(RefusedByServerError):
            await reply_of(model_of(server, KEY))
        assert not thief.requests


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "This model's maximum context length is 4096 tokens."}},
        {"detail": "the request exceeds the available context size"},
        {"error": "prompt is too long"},
    ],
)
async def test_a_prompt_that_does_not_fit_is_told_as_that(body: Any) -> None:
    async with scripted_server() as server:
        server.reply([json_response(body, 400)])
        with pytest.raises(ContextOverflowError, match="does not fit"):
            await reply_of(model_of(server))


PAGE = b"<!doctype html><title>Sign in</title>"
BROKEN: list[tuple[str, list[Any], str]] = [
    ("a page", [response(200, PAGE, "text/html")], "no chat API"),
    ("a page with an error", [response(404, PAGE, "text/html")], "no chat API"),
    ("no JSON", [response(200, b"{", "application/json")], "nobody understands"),
    ("garbage", [STREAM, b"data: \xff\xfe{]\n\n"], "nobody understands"),
    ("a list", [STREAM, b"data: [1]\n\n"], "nobody understands"),
    ("deep JSON", [STREAM, b"data: " + b"[" * 100_000 + b"\n\n"], "nobody understands"),
    ("nothing", [STREAM], "in the middle"),
    ("half", [STREAM, chunk({"content": "Half"})], "in the middle"),
    (
        "half by length",
        [response(200, chunk({"content": "Half"}), "text/event-stream", length=9999)],
        "in the middle",
    ),
    ("closed", [], "in the middle|no connection"),
]


@pytest.mark.parametrize(("pieces", "words"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
async def test_what_is_no_reply_is_a_sentence(pieces: list[Any], words: str) -> None:
    async with scripted_server() as server:
        server.reply(pieces)
        with pytest.raises(ServerError, match=words):
            await reply_of(model_of(server))


async def test_what_came_before_the_end_is_kept() -> None:
    async with scripted_server() as server:
        server.reply([STREAM, chunk({"content": "Half"})])
        model = model_of(server)
        stream = model.generate(asking())
        seen = [await anext(stream)]
        with pytest.raises(BrokenReplyError):
            await anext(stream)
        await model.close()
    assert text_of(seen) == "Half"


async def test_an_error_in_the_stream_is_told() -> None:
    async with scripted_server() as server:
        error = json.dumps({"error": {"message": f"CUDA out of memory {KEY}"}}).encode()
        server.reply([STREAM, chunk({"content": "Half"}), b"data: " + error + b"\n\n"])
        with pytest.raises(ServerError, match="CUDA out of memory") as caught:
            await reply_of(model_of(server, KEY))
    assert KEY not in str(caught.value)


async def test_an_endless_line_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_CHARACTERS", 1 << 20)
    async with scripted_server() as server:
        server.reply([STREAM, *([b"x" * 65536] * 40), Pause()])
        with pytest.raises(BrokenReplyError, match="a line of more than"):
            await reply_of(model_of(server))


async def test_an_endless_reply_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_module, "MAX_REPLY_BYTES", 1 << 20)
    async with scripted_server() as server:
        server.reply([STREAM, *([chunk({"content": "x" * 60_000})] * 40), Pause()])
        with pytest.raises(BrokenReplyError, match="does not end"):
            await reply_of(model_of(server))


async def test_a_server_that_says_nothing_is_given_up() -> None:
    async with scripted_server() as server:
        server.reply([Pause()], [STREAM, Pause()], [STREAM, chunk({"content": "a"}), Pause()])
        for words in ("did not begin", "did not begin", "sent nothing more"):
            model = model_of(server, first_byte_seconds=0.2, idle_seconds=0.2)
            with pytest.raises(UnreachableServerError, match=words):
                await reply_of(model)


async def test_nothing_listens_there() -> None:
    async with scripted_server() as server:
        model = model_of(server)
    with pytest.raises(UnreachableServerError, match="Nothing listens"):
        await model.connect()
    await model.close()


async def test_a_name_nobody_has() -> None:
    model = RemoteModel(Server("studio", "http://no-such-machine.invalid:1"), "", NoEncoder())
    with pytest.raises(UnreachableServerError, match="no-such-machine"):
        await model.connect()
    await model.close()


async def test_a_server_without_tls_where_tls_is_asked_for() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    model = RemoteModel(Server("studio", f"https://127.0.0.1:{port}"), "", NoEncoder())
    with pytest.raises(UnreachableServerError, match="TLS"):
        await model.connect()
    await model.close()
    listening.close()


async def test_a_reply_that_was_cut_off_cannot_go_on() -> None:
    async with scripted_server() as server:
        request = asking(reply=ReplySoFar((TextPart("Once"),)))
        with pytest.raises(UsageError, match="cannot go on"):
            await reply_of(model_of(server), request)
        assert not server.bodies


async def test_the_oldest_turns_are_left_out_where_that_is_wanted() -> None:
    old = [
        PromptMessage(role, (TextPart("word " * 2000),)) for role in ("user", "model") for _ in "x"
    ]
    messages = (*old, *old, PromptMessage("user", (TextPart("Now?"),)))
    options = GenerationOptions(overflow="drop_oldest")
    async with scripted_server() as server:
        server.reply(said("ok"))
        request = GenerationRequest(messages, options=options)
        events = await reply_of(model_of(server), request)
    assert isinstance(events[0], TurnsLeftOut)
    assert events[0].count == 2
    assert server.bodies[0]["messages"] == [{"role": "user", "content": "Now?"}]


LISTINGS = [
    ({"data": [{"id": "a/b", "max_model_len": 8192}]}, "b at studio (remote)", 8192),
    ({"data": [{"id": "x.gguf", "meta": {"n_ctx": 4096}}]}, "x.gguf at studio (remote)", 4096),
    ({"data": [{"id": "m", "meta": 3}, {"id": "n"}]}, "m at studio (remote)", 32768),
]


@pytest.mark.parametrize(("listing", "name", "context"), LISTINGS)
async def test_the_server_says_what_it_has(listing: Any, name: str, context: int) -> None:
    async with scripted_server(models=listing) as server:
        model = model_of(server, sees=None, hears=None, context=None)
        info = await model.connect()
        await model.close()
    assert (info.name, info.context_length, info.can_see, info.can_hear) == (
        name,
        context,
        False,
        False,
    )
    assert info.folder == "server:studio"


async def test_llama_cpp_and_ollama_say_what_their_models_take() -> None:
    props = {
        "modalities": {"vision": True, "audio": False},
        "default_generation_settings": {"n_ctx": 16384},
    }
    async with scripted_server() as server:
        model = model_of(server, sees=None, hears=None, context=None)
        server.answers["/props"] = lambda _: [json_response(props)]
        info = await model.connect()
        assert (info.can_see, info.can_hear, info.context_length) == (True, False, 16384)
        del server.answers["/props"]
        shown = {"capabilities": ["completion", "vision", "audio"]}
        server.answers["/api/show"] = lambda _: [json_response(shown)]
        info = await model.connect()
        assert (info.can_see, info.can_hear) == (True, True)
        await model.close()
        blind = model_of(server, sees=False, hears=None, context=None)
        assert not (await blind.connect()).can_see
        await blind.close()


async def test_modalities_in_the_list_are_believed() -> None:
    for entry in (
        {"id": "m", "input_modalities": ["text", "image"]},
        {"id": "m", "architecture": {"input_modalities": ["text", "image"]}},
    ):
        async with scripted_server(models={"data": [entry]}) as server:
            model = model_of(server, sees=None, hears=None)
            info = await model.connect()
            await model.close()
        assert (info.can_see, info.can_hear) == (True, False)
        assert [request.path for request in server.requests] == ["/v1/models"]


@pytest.mark.parametrize("listing", [{}, {"data": []}, {"data": 3}, [], "x", {"data": [{"id": 1}]}])
async def test_a_server_without_models_asks_for_a_name(listing: Any) -> None:
    async with scripted_server(models=listing) as server:
        with pytest.raises(RefusedByServerError, match="which models"):
            await model_of(server).connect()
        named = model_of(server, model="mine")
        assert (await named.connect()).name == "mine at studio (remote)"
        await named.close()
