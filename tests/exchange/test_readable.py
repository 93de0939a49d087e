"""Markdown and HTML: what is in a conversation stays in its place and does nothing."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gemma_tui.conversation import (
    Attachment,
    AttachmentPart,
    Conversation,
    Draft,
    Message,
    MessageState,
    Part,
    TextPart,
    ThoughtPart,
)
from gemma_tui.errors import ExchangeError
from gemma_tui.exchange.html import html_pieces
from gemma_tui.exchange.markdown import markdown
from gemma_tui.exchange.markdown_text import embedded, escaped, fenced, quoted
from gemma_tui.exchange.output import safe_name
from gemma_tui.storage.trees import Tree
from gemma_tui.tool_call import ToolCall, ToolResult
from tests.exchange.strategies import trees

if TYPE_CHECKING:
    from pathlib import Path

    from tests.exchange.conftest import Place

PIECES = [
    *"ab \n`~<>/!-#*_[]()&\"'\\|:\t=",
    "\n\n",
    "```",
    "<b>",
    "<script>",
    "</details>",
    "<!--",
    "\x1b[2J",
]
NASTY = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


def tree_of(*messages: tuple[Part, ...], title: str = "Birds", system: str = "") -> Tree:
    """A question, an answer, and so on."""
    found = tuple(
        Message(
            id=n,
            conversation_id=0,
            parent_id=n - 1 or None,
            role="user" if n % 2 else "model",
            parts=parts,
            state=MessageState.COMPLETE,
            created_at=1.7e9,
            model="" if n % 2 else "E2B",
        )
        for n, parts in enumerate(messages, start=1)
    )
    conversation = Conversation(0, title, 1.7e9, 1.7e9, system, len(found) or None)
    return Tree(conversation, found, Draft())


@settings(max_examples=150)
@given(NASTY)
def test_no_text_breaks_out_of_a_document(text: str) -> None:
    """What follows is a heading, whatever the text is; and no HTML of it is raw."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    for block in (embedded(text), quoted(text), fenced(text)):
        tokens = parser.parse(f"before\n\n{block}\n\n# after")
        assert [(t.type, t.level) for t in tokens[-3:]] == [
            ("heading_open", 0),
            ("inline", 1),
            ("heading_close", 0),
        ]
        assert tokens[-2].content == "after"
        children = [child for token in tokens for child in token.children or ()]
        assert not any(t.type.startswith("html") for t in (*tokens, *children))


@given(NASTY)
def test_a_title_is_one_line_of_plain_text(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(f"# x{escaped(text)}")
    assert [token.type for token in tokens] == ["heading_open", "inline", "heading_close"]
    assert {child.type for child in tokens[1].children or ()} <= {"text", "text_special"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Some *Markdown*\n\n- a\n- b", "Some *Markdown*\n\n- a\n- b"),
        ("```python\nx = 1", "```python\nx = 1\n```"),
        ("~~~~\nx", "~~~~\nx\n~~~~"),
        ("a <b> and `<c>`", r"a \<b> and `<c>`"),
        ("```html\n<p>\n```\n\n<p>", "```html\n<p>\n```\n\n\\<p>"),
        ("1 < 2", "1 < 2"),
        ("\x1b[31m", "␛[31m"),
    ],
)
def test_an_answer_stays_the_markdown_it_is_as_far_as_it_can(text: str, expected: str) -> None:
    assert embedded(text) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Birds", "Birds"),
        ("../../etc/passwd", "etc passwd"),
        ("a/b\\c:d", "a b c d"),
        (".bashrc", "bashrc"),
        ("", "conversation"),
        ("///", "conversation"),
        ("CON", "_CON"),
        ("nul.png", "_nul.png"),
        ("x" * 300 + ".png", "x" * 76 + ".png"),
        ("é" * 100, "é" * 40),
        ("a\x1b]52;c\x07\nb", "a␛ 52;c␇ b"),
        ("photo (1).png", "photo 1 .png"),
    ],
)
def test_a_name_is_one_safe_file(name: str, expected: str) -> None:
    assert safe_name(name) == expected


@given(st.text())
def test_every_name_is_safe(name: str) -> None:
    made = safe_name(name)
    assert PurePosixPath(made).name == made
    assert made not in {"", ".", ".."}
    assert not made.startswith(".")
    assert len(made.encode()) <= 85
    assert not set(made) & set('<>:"/\\|?*%#[]()`\0\n')


def test_markdown_names_who_said_what() -> None:
    picture = Attachment("aa" * 32, "image", "robin ](x).png", "image/png", 7)
    tree = tree_of(
        (AttachmentPart(picture), TextPart("Which *bird*?")),
        (
            ThoughtPart("Red ``` breast"),
            ToolCall("look", {"at": 1}),
            ToolResult("look", "bird"),
            TextPart("A robin."),
        ),
        system="Be brief.",
    )
    text = markdown(tree, {picture.sha256: PurePosixPath("birds-media/01-robin x .png")})
    assert text == (
        "# Birds\n\n<details>\n<summary>System prompt</summary>\n\n```text\nBe brief.\n```\n\n</details>\n\n"
        "---\n\n**You** · 2023-11-14 22:13 UTC\n\n"
        r"![robin \](x).png](<birds-media/01-robin x .png>)"
        "\n\n> Which *bird*?\n\n"
        "---\n\n**E2B** · 2023-11-14 22:13 UTC\n\n"
        "<details>\n<summary>Thought</summary>\n\n````text\nRed ``` breast\n````\n\n</details>\n\n"
        '<details>\n<summary>Tool call: look</summary>\n\n```text\n{\n  "at": 1\n}\n```\n\n</details>\n\n'
        "<details>\n<summary>Tool result: look</summary>\n\n```text\nbird\n```\n\n</details>\n\n"
        "A robin.\n"
    )


async def test_markdown_brings_its_media_in_a_folder(here: Place) -> None:
    conversation = await here.store.create("Two birds")
    found = []
    for content in (b"picture 1", b"picture 2"):
        file = here.folder / "x"
        file.write_bytes(content)
        blob = await here.blobs.add_file(file)
        found.append(
            AttachmentPart(Attachment(blob.sha256, "image", "../bird.png", "image/png", 9))
        )
    gone = AttachmentPart(Attachment("ab" * 32, "image", "gone.png", "image/png", 9))
    await here.store.add_message(conversation.id, None, "user", (*found, found[0], gone))
    out = here.folder / "out"
    out.mkdir()
    path = await here.exporter.export_conversation(conversation.id, "md", out)
    assert path == out / f"Two birds-{conversation.id}.md"
    media = out / f"Two birds-{conversation.id}-media"
    assert [(p.name, p.read_bytes()) for p in sorted(media.iterdir())] == [
        ("01-bird.png", b"picture 1"),
        ("02-bird.png", b"picture 2"),
    ]
    assert path.read_text().count(f"(<{media.name}/01-bird.png>)") == 2
    assert "gone.png (its file is missing)" in path.read_text()
    with pytest.raises(ExchangeError, match="is there already"):
        await here.exporter.export_conversation(conversation.id, "md", path)
    path.unlink()
    with pytest.raises(ExchangeError, match="is there already"):
        await here.exporter.export_conversation(conversation.id, "md", path)
    assert not path.exists()
    await here.exporter.export_conversation(conversation.id, "md", path, overwrite=True)
    assert sorted(p.name for p in out.iterdir()) == [media.name, path.name]


class Page(HTMLParser):
    """Tags and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words += data


def page(tree: Tree, folder: Path) -> str:
    return b"".join(html_pieces(tree, lambda sha256: folder / sha256)).decode()


EXPECTED_TAGS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("article", "header", "footer", "div", "details", "summary", "figure", "figcaption", "img"),
    *("audio", "p", "br", "hr", "em", "strong", "s", "code", "pre", "a", "ul", "ol", "li"),
    *("blockquote", "table", "thead", "tbody", "tr", "th", "td"),
}


@given(text=NASTY)
def test_no_text_adds_anything_to_a_page_but_text(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    name = Attachment("../x", "image", text, 'image/svg+xml"><script>', 1)
    tree = tree_of(
        (TextPart(text), AttachmentPart(name)),
        (ThoughtPart(text), TextPart(text), ToolCall(text, {text: text})),
        title=text,
        system=text,
    )
    found = Page(page(tree, folder))
    assert set(found.tags) <= EXPECTED_TAGS
    assert found.tags.count("article") == 2
    assert found.tags[-1] != "article"
    assert not [name for _, name, _ in found.attributes if name.startswith("on")]
    assert {name for tag, name, _ in found.attributes if tag not in {"a", "meta", "html"}} <= {
        *("class", "dir", "start", "style"),
    }


def test_links_of_an_answer_lead_to_web_addresses_only(tmp_path: Path) -> None:
    text = (
        "[a](javascript:alert) [b](https://a.example/b) [c](data:text/html,x) [d](file:///etc/passwd)"
        " ![e](https://a.example/e.png) <javascript:x> [f](/x) [g](mailto:g@a.example)"
    )
    found = Page(page(tree_of((), (TextPart(text),)), tmp_path))
    assert [value for tag, name, value in found.attributes if name == "href"] == [
        "https://a.example/b",
        "https://a.example/e.png",
    ]
    assert "img" not in found.tags


def test_links_of_an_answer_say_where_they_lead(tmp_path: Path) -> None:
    text = (
        "[bank](https://evil.example/?bank=1) <https://plain.example/> [https://a.b](https://c.d)"
        " <http://\u0430pple.com> **[bold *x*](http://\u202emoc.example/\u202e)**"
    )
    answer = page(tree_of((), (TextPart(text),)), tmp_path)
    assert "bank</a> (https://evil.example/?bank=1)" in answer
    assert ">https://plain.example/</a> <a" in answer
    assert "https://a.b</a> (https://c.d)" in answer
    assert "http://\u0430pple.com</a> (http://xn--pple-43d.com)" in answer
    assert "</em></a> (http://" in answer
    assert "\u202e" not in answer
    assert answer.count('rel="noopener noreferrer nofollow"') == answer.count("<a ") == 5


def test_pictures_and_sounds_are_in_the_page(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"picture" * 200_000)
    (tmp_path / "s").write_bytes(b"sound")
    (tmp_path / "t").write_text("a <b>\n\x1b[2J")
    (tmp_path / "w").write_text("zwölf", "utf-16")
    parts = (
        AttachmentPart(Attachment("p", "image", "a.png", "image/png", 7)),
        AttachmentPart(Attachment("s", "audio", "b.wav", "audio/wav", 5, 0, 0, 24_000)),
        AttachmentPart(Attachment("t", "text", "c.txt", "text/plain", 5)),
        AttachmentPart(Attachment("w", "text", "w.txt", "text/plain", 12)),
        AttachmentPart(Attachment("p", "image", "d.tif", "image/tiff", 7)),
        AttachmentPart(Attachment("p", "image", "f.pdf", "application/pdf", 7)),
        AttachmentPart(Attachment("x", "image", "e.png", "image/png", 7)),
    )
    found = Page(page(tree_of(parts), tmp_path))
    sources = [(tag, value) for tag, name, value in found.attributes if name == "src"]
    assert [(tag, value[:26]) for tag, value in sources] == [
        ("img", "data:image/png;base64,cGlj"),
        ("audio", "data:audio/wav;base64,c291"),
    ]
    assert len(sources[0][1]) == len("data:image/png;base64,") + 1_400_000 // 3 * 4 + 4
    assert "b.wav · 1.5 s" in found.words
    assert "a <b>\n␛[2J" in found.words
    assert "zwölf" in found.words
    assert "d.tif (no browser shows it)" in found.words
    assert "f.pdf (no browser shows it)" in found.words
    assert "e.png (its file is missing)" in found.words


def test_a_page_allows_nothing_but_its_own_style(tmp_path: Path) -> None:
    found = Page(page(tree_of(), tmp_path))
    (policy,) = [v for tag, name, v in found.attributes if v.startswith("default-src")]
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]{44}'; img-src data:; "
        r"media-src data:; base-uri 'none'; form-action 'none'",
        policy,
    )
    assert not [value for _, _, value in found.attributes if value.startswith("http")]


@given(trees())
def test_every_conversation_can_be_written(
    tmp_path_factory: pytest.TempPathFactory, known: tuple[Tree, dict[str, bytes]]
) -> None:
    tree, _ = known
    assert markdown(tree, {}).startswith("# ")
    assert page(tree, tmp_path_factory.getbasetemp()).endswith("</html>\n")
