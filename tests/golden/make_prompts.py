"""Renders conversations with the canonical chat templates and writes `prompts.json` beside this.

    python tests/golden/make_prompts.py E2B_TEMPLATE 31B_TEMPLATE

The templates are Google's `chat_template.jinja` of Gemma 4 E2B (or E4B) and 31B (or 12B, 26B-A4B).
The Jinja environment has the switches with which transformers renders chat templates.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

IMAGE = {"type": "image"}
AUDIO = {"type": "audio"}

Turn = tuple[str, list[Any]]
Case = tuple[str, str, bool, list[Turn]]


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


def cases() -> list[Case]:
    """Every conversation, and some of them in every setting."""
    found: list[Case] = []
    for name, turns in CONVERSATIONS.items():
        for setting, (system, thinking) in SETTINGS.items():
            if not setting or name in IN_EVERY_SETTING:
                found.append((f"{name}; {setting}".rstrip("; "), system, thinking, turns))
    found.append(("system with control names", "<turn|> is <|think|>\n", False, HELLO))
    found.append(("system in Unicode", "\u3000Sei höflich – 礼貌 🙂\u00a0", True, HELLO))
    return found


def render(template: str, system: str, thinking: bool, turns: list[Turn]) -> str:
    """What transformers' `apply_chat_template` returns with a generation prompt."""

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = raise_exception
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    for role, parts in turns:
        content = [{"type": "text", "text": p} if isinstance(p, str) else p for p in parts]
        messages.append({"role": "assistant" if role == "model" else role, "content": content})
    return environment.from_string(template).render(
        messages=messages,
        enable_thinking=thinking,
        add_generation_prompt=True,
        bos_token="<bos>",
    )


def main() -> None:
    open_template, empty_thought_template = (Path(name).read_text("utf-8") for name in sys.argv[1:])
    golden = [
        {
            "name": name,
            "system": system,
            "thinking": thinking,
            "turns": [
                [role, [p if isinstance(p, str) else {"media": p["type"]} for p in parts]]
                for role, parts in turns
            ],
            "open": render(open_template, system, thinking, turns),
            "empty thought": render(empty_thought_template, system, thinking, turns),
        }
        for name, system, thinking, turns in cases()
    ]
    target = Path(__file__).with_name("prompts.json")
    lines = ",\n".join(json.dumps(case) for case in golden)
    target.write_text(f"[\n{lines}\n]\n", "utf-8")


if __name__ == "__main__":
    main()
