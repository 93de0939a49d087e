"""Conversations nobody would think of, for the generator of golden prompts and for tests.

A case is plain JSON: `name`, `system`, `thinking`, `tools`, and `turns` of [role, parts]. A part is
a text, or one of `{"media": kind}`, `{"thought": text}`, `{"call": name, "arguments": object}` and
`{"result": name, "content": value, "media": kinds}`.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

Case = dict[str, Any]
Turn = tuple[str, list[Any]]

_WORDS = (
    *(
        "a",
        "What is this?",
        "é",
        "世界",
        "🙂",
        "7",
        "- x",
        '"quoted"',
        "'",
        "\\",
        "{}",
        "[1]",
        "a:b,c",
    ),
    *(
        " ",
        "  ",
        "\n",
        "\n\n",
        "\t",
        "\r\n",
        "\u00a0",
        "\x00",
        "<",
        "|>",
        "<|",
        "thought\n",
        "{{ x }}",
    ),
)
_MARKERS = ("<|channel>", "<channel|>", "<|channel>thought\nhm\n<channel|>", "<turn|>", '<|"|>')

words = st.lists(st.sampled_from(_WORDS), max_size=5).map("".join)
marked_words = st.lists(st.sampled_from((*_WORDS, *_MARKERS)), max_size=5).map("".join)
"""Also names of control tokens, as text."""

_names = st.sampled_from(("city", "unit", "Zeit", "a_b", "A-b", "x.y", "n", "type", "required"))
_tool_names = st.sampled_from(("get_weather", "mcp-files.read", "f", "Größe"))
_numbers = st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
_media = st.sampled_from(("image", "audio"))
_attached = _media.map(lambda kind: {"media": kind})


def values(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Anything JSON can say."""
    return st.recursive(
        st.none() | st.booleans() | _numbers | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
        max_leaves=5,
    )


def objects(texts: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects."""
    return st.dictionaries(_names, values(texts), max_size=3)


def _entries(required: dict[str, Any], /, **optional: Any) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(required, optional=optional)


def schemas(texts: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON schemas of a property, and things that are only nearly that."""
    names = st.lists(_names, max_size=2)
    said = {"description": texts, "nullable": st.booleans(), "title": texts}
    scalar = _entries(
        {"type": st.sampled_from(("string", "integer", "number", "boolean", "STRING"))},
        enum=st.lists(texts | st.integers(0, 9), max_size=3),
        **said,
    )
    odd: st.SearchStrategy[Any] = st.sampled_from(
        (
            {},
            {"anyOf": [{"type": "string"}]},
            {"type": ["string", "null"]},
            {"$ref": "#/x"},
            {"type": None},
        )
    )

    def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        properties = st.dictionaries(_names, inner, max_size=3)
        item = inner | _entries({"type": st.just("object")}, properties=properties, required=names)
        array = _entries({"type": st.just("array")}, items=item, minItems=st.integers(0, 3), **said)
        described = _entries(
            {"type": st.just("object")}, properties=properties, required=names, **said
        )
        undescribed = _entries(
            {"type": st.just("object")},
            additionalProperties=inner | st.booleans(),
            required=names,
        )
        return array | described | undescribed

    return st.recursive(scalar | odd, nested, max_leaves=4)


def tools(texts: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Declarations of tools."""
    properties = st.dictionaries(_names, schemas(texts), max_size=4)
    none: st.SearchStrategy[Any] = st.just({})
    parameters = none | _entries(
        {"type": st.just("object"), "properties": properties},
        required=st.lists(_names, max_size=3, unique=True),
    )
    untyped = _entries({"properties": properties})
    return st.fixed_dictionaries(
        {"name": _tool_names, "description": texts, "parameters": parameters | untyped}
    )


@st.composite
def model_parts(draw: st.DrawFn, texts: st.SearchStrategy[str], *, with_tools: bool) -> list[Any]:
    """The parts of one message of the model, in the order in which templates render them."""
    parts: list[Any] = []
    if draw(st.booleans()):
        parts.append({"thought": draw(texts)})
    if with_tools and draw(st.booleans()):
        call = st.fixed_dictionaries({"call": _tool_names, "arguments": objects(texts)})
        calls = draw(st.lists(call, max_size=2))
        wants_media = bool(calls) and draw(st.booleans())
        given_back = texts if wants_media else texts | values(texts)
        media = st.lists(_media, max_size=2) if wants_media else st.just([])
        results = draw(st.lists(st.tuples(_tool_names, given_back, media), max_size=2))
        named = [call["call"] for call in calls]
        parts += calls
        for place, (name, value, kinds) in enumerate(results):
            known = named[place] if place < len(named) else name
            parts.append({"result": known, "content": value, "media": kinds})
    content = draw(st.lists(texts | texts | _attached, max_size=2))
    if parts and "result" in parts[-1] and content:
        content[0] = draw(texts)  # a medium there would belong to the result
    return [*parts, *content]


@st.composite
def cases(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> Case:
    """Whole conversations."""
    with_tools = draw(st.sampled_from((True, True, True, False)))
    asked = st.lists(texts | texts | _attached, max_size=3)
    answered = model_parts(texts, with_tools=with_tools)
    turn = st.tuples(st.just("user"), asked) | st.tuples(st.just("model"), answered)
    return {
        "name": "",
        "system": draw(texts).strip(),
        "thinking": draw(st.booleans()),
        "tools": draw(st.lists(tools(texts), max_size=2)) if with_tools else [],
        "turns": draw(st.lists(turn, min_size=1, max_size=6)),
    }


def generated_cases(count: int, longest: int = 1000) -> list[Case]:
    """Different ones, every second of them with calls or results.

    The same at every call, with one version of hypothesis.

    Args:
        count: How many.
        longest: Most characters of one, written as JSON.
    """
    plain: dict[str, Case] = {}
    using_tools: dict[str, Case] = {}

    @settings(
        max_examples=20 * count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases(words) | cases(words) | cases(words) | cases(marked_words))
    def collect(case: Case) -> None:
        text = json.dumps(case)
        group = using_tools if '"call"' in text or '"result"' in text else plain
        if len(text) <= longest and len(group) < count // 2:
            group[text] = case

    collect()
    found = [*plain.values(), *using_tools.values()]
    return [{**case, "name": f"generated {place}"} for place, case in enumerate(found, 1)]
