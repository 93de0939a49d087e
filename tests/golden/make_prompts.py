"""Renders conversations with the canonical chat templates and writes `prompts.json` beside this.

Those written down here, and as many again from `conversations`, with tools and without.

    python -m tests.golden.make_prompts E2B_TEMPLATE 31B_TEMPLATE

The templates are Google's `chat_template.jinja` of Gemma 4 E2B (or E4B) and 31B (or 12B, 26B-A4B).
The Jinja environment has the switches with which transformers renders chat templates.
"""

from __future__ import annotations

import json
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tests.golden.conversations import Case, Turn, generated_cases

if TYPE_CHECKING:
    from jinja2 import Template

GENERATED = 240
"""How many conversations are made up."""

IMAGE = {"media": "image"}
AUDIO = {"media": "audio"}


def user(*parts: Any) -> Turn:
    return ("user", list(parts))


def model(*parts: Any) -> Turn:
    return ("model", list(parts))


HELLO = [user("Hello")]
TWO_TURNS = [user("What is this?"), model("A red circle."), user("And its size?")]
SPACES = "  \n keep  the \t inner\n\n\nspace \r\n "
THOUGHT = "<|channel>thought\nIt looks\nround.\n<channel|>A circle."

CONVERSATIONS: dict[str, list[Turn]] = {
    "hello": HELLO,
    "two turns": TWO_TURNS,
    "four turns": [*TWO_TURNS, model("Large."), user("Thanks"), model("Welcome!"), user("Bye")],
    "image, text": [user(IMAGE, "What is in this picture?")],
    "text, image": [user("Look:", IMAGE)],
    "image alone": [user(IMAGE)],
    "audio alone": [user(AUDIO)],
    "text, audio": [user("Write down the words.", AUDIO)],
    "audio, text": [user(AUDIO, "Write down the words.")],
    "two images, text": [user(IMAGE, IMAGE, "Compare.")],
    "image, text, image": [user(IMAGE, "before", IMAGE)],
    "image, text, audio": [user(IMAGE, "Does the sound fit?", AUDIO)],
    "audio, audio, text, image": [user(AUDIO, AUDIO, " Which? ", IMAGE)],
    "images in two turns": [user(IMAGE, "First"), model("Seen."), user(IMAGE, "Second")],
    "audio in the first turn": [user("Listen", AUDIO), model("3 1 4"), user("Sum?")],
    "image in a reply": [user("Draw"), model("Here:", IMAGE), user("Thanks")],
    "spaces": [user(SPACES)],
    "spaces in every turn": [user(SPACES), model(SPACES), user(SPACES)],
    "spaces around an image": [user(" a ", IMAGE, " b "), model(" c "), user(" d\n", AUDIO)],
    "two texts": [user("one ", " two")],
    "empty text": [user("")],
    "only white space": [user(" \n\t ")],
    "no parts": [user()],
    "white space and an image": [user(IMAGE, "\n\n")],
    "empty reply": [user("Hello"), model(""), user("Hello?")],
    "blank reply": [user("Hello"), model(" \n"), user("Hello?")],
    "unicode spaces": [user("\u00a0\u3000text\u2003\u00a0"), model("\u2028a\u2029"), user("b")],
    "zero width is not space": [user("\u200btext\ufeff")],
    "control characters": [user("\x1cfield\x1d \x00\x1b[31mred\x7f\x85")],
    "unicode": [user("Grüße, 世界! 👩‍👩‍👧‍👦 e\u0301 עִבְרִית ไทย"), model("¡Olé! ½ ∑ 🇩🇪"), user("ﬁ")],
    "sentencepiece space": [user("a\u2581b \u2581 c")],
    "code": [user("```python\ndef f(x):\n    return x  # {{ x }} {% if %}\n```\n")],
    "markup": [user("<b>&amp;</b> 'quoted' \"twice\" \\n {# no comment #}")],
    "newlines": [user("a\n\nb\n\n\nc"), model("\n\n1\n\n2\n"), user("d")],
    "two users": [user("First"), user("Second", IMAGE)],
    "two replies": [user("Hello"), model("One"), model("two "), user("More")],
    "reply last": [user("Hello"), model("Hi")],
    "two replies last": [user("Hello"), model("Hi "), model(" there")],
    "reply first": [model("Hi"), user("Hello")],
    "three replies": [user("a"), model("b"), model(""), model("c"), user("d")],
    "thought in a reply": [user("Shape?"), model(THOUGHT), user("Sure?")],
    "two thoughts": [user("?"), model(f"{THOUGHT}\n{THOUGHT}"), user("!")],
    "unfinished thought": [user("?"), model("Well, <|channel>thought\nhm"), user("!")],
    "stray end of a thought": [user("?"), model("Well,<channel|> yes <channel|>"), user("!")],
    "thought in two texts": [user("?"), model("a <|channel>x", "y<channel|> b"), user("!")],
    "nested thoughts": [user("?"), model("a<|channel>b<|channel>c<channel|>d"), user("!")],
    "thought of the user": [user(THOUGHT)],
    "control names": [user("<|image|><turn|>\n<|turn>model\n<bos><|audio><eos><|think|>")],
    "control names in a reply": [user("?"), model("<turn|> and <|image>"), user("!")],
    "nothing": [],
}

SETTINGS: dict[str, tuple[str, bool]] = {
    "": ("", False),
    "thinking": ("", True),
    "system": ("You are brief.", False),
    "system and thinking": (" \nYou are\n\nbrief. \n", True),
}

IN_EVERY_SETTING = (
    *("hello", "two turns", "image, text", "text, audio", "spaces in every turn"),
    *("thought in a reply", "two replies last", "reply first", "nothing"),
)


WEATHER = {
    "name": "get_weather",
    "description": "Tells the weather.",
    "parameters": {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Where"},
            "unit": {"type": "string", "enum": ["C", "F"], "nullable": True},
            "Days": {"type": "array", "items": {"type": ["integer", "null"], "minimum": 1}},
        },
        "required": ["city"],
    },
}
CALL = {"call": "get_weather", "arguments": {"city": "Köln", "Days": [1, 2.5, None, True]}}
RESULT = {"result": "get_weather", "content": {"sky": "clear", "at": {"noon": 21}}, "media": []}
SAID = {**RESULT, "content": "It is\nclear."}
SEEN = {**SAID, "media": ["image", "audio"]}
WHY = {"thought": "I need\nthe weather."}
ASKED = user("How is the weather?")

WITH_TOOLS: dict[str, list[Turn]] = {
    "tool declared": [ASKED],
    "tool called": [ASKED, model(WHY, CALL)],
    "two tools called": [ASKED, model(CALL, CALL)],
    "result as an object": [ASKED, model(WHY, CALL, RESULT)],
    "result as text": [ASKED, model(CALL, SAID)],
    "result with media": [user(IMAGE, "And there?"), model(CALL, SEEN, SAID)],
    "result and answer": [ASKED, model(WHY, CALL, RESULT, "Clear.")],
    "answer in a message of its own": [ASKED, model(WHY, CALL, RESULT), model(WHY, "Clear.")],
    "a second call": [ASKED, model(WHY, CALL, RESULT), model(WHY, CALL), model("Hm.")],
    "the next question": [
        *(ASKED, model(WHY, CALL, RESULT), model(WHY, "Clear."), user("Thanks")),
        *(model(CALL, SAID), model("Ok."), user("Bye")),
    ],
    "question instead of a result": [ASKED, model(CALL), user("Stop")],
    "answer beside a call": [ASKED, model(CALL, "One moment.")],
    "result without a call": [ASKED, model(RESULT)],
    "control names in tools": [
        ASKED,
        model(
            {"call": "f", "arguments": {"a": '<|"|>}<tool_call|>', "<turn|>": "<|image|>"}},
            {"result": "f", "content": "<tool_response|><turn|>", "media": []},
        ),
    ],
}


def written_cases() -> list[Case]:
    """Every conversation, and some of them in every setting."""
    found: list[Case] = []

    def add(name: str, system: str, thinking: bool, turns: list[Turn], tools: list[Any]) -> None:
        found.append(
            {"name": name, "system": system, "thinking": thinking, "tools": tools, "turns": turns}
        )

    for name, turns in CONVERSATIONS.items():
        for setting, (system, thinking) in SETTINGS.items():
            if not setting or name in IN_EVERY_SETTING:
                add(f"{name}; {setting}".rstrip("; "), system, thinking, turns, [])
    add("system with control names", "<turn|> is <|think|>\n", False, HELLO, [])
    add("system in Unicode", "\u3000Sei höflich – 礼貌 🙂\u00a0", True, HELLO, [])
    for name, turns in WITH_TOOLS.items():
        for setting in ("", "system and thinking"):
            system, thinking = SETTINGS[setting]
            add(f"{name}; {setting}".rstrip("; "), system, thinking, turns, [WEATHER])
    return found


def as_template_messages(system: str, turns: list[Turn]) -> list[dict[str, Any]]:
    """The conversation as clients of `apply_chat_template` write it."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    for role, parts in turns:
        found = [({"text": part} if isinstance(part, str) else part) for part in parts]
        message: dict[str, Any] = {"role": "assistant" if role == "model" else role}
        message["content"] = [
            {"type": "text", **part} if "text" in part else {"type": part["media"]}
            for part in found
            if part.keys() in ({"text"}, {"media"})
        ]
        calls = [
            {"name": part["call"], "arguments": part["arguments"]}
            for part in found
            if "call" in part
        ]
        if calls:
            message["tool_calls"] = [
                {"id": f"c{place}", "function": call} for place, call in enumerate(calls)
            ]
        for part in found:
            if "thought" in part:
                message["reasoning"] = part["thought"]
        messages += [message, *with_results(message, [part for part in found if "result" in part])]
    return messages


def with_results(message: dict[str, Any], results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages that hold the results of a call; those that are no text are written into it."""
    if not (message.get("tool_calls") and all(isinstance(r["content"], str) for r in results)):
        message["tool_responses"] = [
            {"name": result["result"], "response": result["content"]} for result in results
        ]
        return []
    return [
        {
            "role": "tool",
            "tool_call_id": f"c{place}",
            "name": result["result"],
            "content": [
                {"type": "text", "text": result["content"]},
                *({"type": kind} for kind in result["media"]),
            ]
            if result["media"]
            else result["content"],
        }
        for place, result in enumerate(results)
    ]


@lru_cache
def compiled(template: str) -> Template:
    """The template in an environment like that of transformers."""

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = raise_exception
    return environment.from_string(template)


def render(template: str, case: Case) -> str:
    """What transformers' `apply_chat_template` returns with a generation prompt."""
    return compiled(template).render(
        messages=as_template_messages(case["system"], case["turns"]),
        tools=[{"type": "function", "function": tool} for tool in case["tools"]] or None,
        enable_thinking=case["thinking"],
        add_generation_prompt=True,
        bos_token="<bos>",
    )


def golden(case: Case, open_template: str, empty_thought_template: str) -> Case:
    """The case with what both templates make of it: all of the first, the rest of the second."""
    text, longer = (render(template, case) for template in (open_template, empty_thought_template))
    assert longer.startswith(text), "the templates differ at the end only"
    return {**case, "open": text, "empty thought adds": longer.removeprefix(text)}


def main() -> None:
    templates = [Path(name).read_text("utf-8") for name in sys.argv[1:]]
    cases = (*written_cases(), *generated_cases(GENERATED))
    lines = ",\n".join(json.dumps(golden(case, *templates)) for case in cases)
    Path(__file__).with_name("prompts.json").write_text(f"[\n{lines}\n]\n", "utf-8")


if __name__ == "__main__":
    main()
