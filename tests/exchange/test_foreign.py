"""Exports of other programs, in the shapes that are known of them (https://github.com/ggozad/oterm)."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from base64 import b64encode
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemma_tui.conversation import AttachmentPart, TextPart, ThoughtPart
from gemma_tui.errors import DamagedExportError, UnknownFormatError
from gemma_tui.exchange.branch import branch_of
from gemma_tui.exchange.chatgpt import media_keys, to_tree
from gemma_tui.exchange.fields import FieldError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gemma_tui.storage.trees import Tree
    from tests.exchange.conftest import Place


KEYS = [
    *("author", "role", "content", "content_type", "parts", "metadata", "message", "parent"),
    *("children", "text", "thoughts", "summary", "asset_pointer", "recipient", "finish_details"),
]


def node(
    key: str,
    parent: str | None,
    children: Sequence[str],
    role: str,
    content: object,
    **more: object,
) -> dict[str, Any]:
    author: dict[str, object] = {"role": role, "name": None, "metadata": {}}
    message = {"id": key, "author": author, "content": content, "create_time": 5.0, **more}
    return {"id": key, "parent": parent, "children": list(children), "message": message}


def text(*parts: object) -> dict[str, object]:
    return {"content_type": "text", "parts": list(parts)}


def chat(*nodes: dict[str, Any], **more: object) -> dict[str, object]:
    root = {"id": "root", "parent": None, "children": ["system"], "message": None}
    hidden = {"metadata": {"is_visually_hidden_from_conversation": True}}
    system = node("system", "root", [nodes[0]["id"]], "system", text(""), **hidden)
    return {
        "title": "Birds",
        "create_time": 3.0,
        "update_time": 9.0,
        "mapping": {item["id"]: item for item in (root, system, *nodes)},
        "current_node": nodes[-1]["id"],
        **more,
    }


async def imported(place: Place, file: Path) -> list[Tree]:
    report = await place.importer.import_file(file)
    return [await place.trees.read(row_id) for row_id in report.ids]


async def from_chatgpt(place: Place, *conversations: object) -> list[Tree]:
    file = place.folder / "conversations.json"
    file.write_text(json.dumps(conversations))
    return await imported(place, file)


async def test_branches_of_chatgpt_are_branches_here(here: Place) -> None:
    (tree,) = await from_chatgpt(
        here,
        chat(
            node("q", "system", ["a1", "a2"], "user", text("Which bird?")),
            node("a1", "q", [], "assistant", text("A wren."), metadata={"model_slug": "gpt-4"}),
            node("a2", "q", ["q2"], "assistant", text("A robin."), metadata={"model_slug": "o3"}),
            node("q2", "a2", [], "user", text("Sure?")),
            current_node="a2",
            is_archived=True,
        ),
    )
    conversation = tree.conversation
    assert (conversation.title, conversation.title_origin) == ("Birds", "user")
    assert (conversation.created_at, conversation.updated_at) == (3.0, 9.0)
    assert conversation.is_archived
    assert [(m.role, m.text, m.model) for m in tree.messages] == [
        ("user", "Which bird?", ""),
        ("model", "A wren.", "gpt-4"),
        ("model", "A robin.", "o3"),
        ("user", "Sure?", ""),
    ]
    assert [m.text for m in branch_of(tree)] == ["Which bird?", "A robin."]


async def test_one_turn_of_chatgpt_is_one_message(here: Place) -> None:
    thoughts = {"content_type": "thoughts", "thoughts": [{"summary": "Count", "content": "12"}]}
    code = {"content_type": "code", "language": "python", "text": "print(6 * 2)"}
    output = {"content_type": "execution_output", "text": "12"}
    (tree,) = await from_chatgpt(
        here,
        chat(
            node("q", "system", ["t"], "user", text("How many?")),
            node("t", "q", ["c"], "assistant", thoughts),
            node("c", "t", ["o"], "assistant", code, recipient="python"),
            node("o", "c", ["r"], "tool", output),
            node(
                "r", "o", ["a"], "assistant", {"content_type": "reasoning_recap", "content": "5 s"}
            ),
            node("a", "r", ["b"], "assistant", text("Twelve.")),
            node(
                "b",
                "a",
                [],
                "assistant",
                text("A dozen."),
                metadata={"finish_details": {"type": "max_tokens"}},
            ),
        ),
    )
    _, reply = tree.messages
    assert reply.parts == (
        ThoughtPart("Count\n\n12\n\n```python\nprint(6 * 2)\n```\n\n```text\n12\n```"),
        TextPart("Twelve.\n\nA dozen."),
    )
    assert reply.finish_reason == "length"
    assert tree.conversation.leaf_id == reply.id


async def test_pictures_come_out_of_the_zip_or_are_told(here: Place) -> None:
    parts = [
        {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-Abc123"},
        {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_00ff"},
        {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_gone"},
        {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_fake"},
        {"content_type": "audio_transcription", "text": "spoken words"},
        "What are they?",
    ]
    conversation = chat(
        node("q", "system", [], "user", {"content_type": "multimodal_text", "parts": parts}),
    )
    file = here.folder / "export.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("export/conversations.json", json.dumps([conversation]))
        archive.writestr("export/file-Abc123-robin at home.png", b"picture of a robin")
        archive.writestr("dalle-generations/file_00ff-1234.webp", b"picture")
        archive.writestr("file_fake-x.png", b"no such thing")
    report = await here.importer.import_file(file)
    (message,) = (await here.trees.read(report.ids[0])).messages
    robin, drawing, gone, fake = message.parts[:4]
    assert isinstance(robin, AttachmentPart)
    assert isinstance(drawing, AttachmentPart)
    found = robin.attachment
    assert (found.kind, found.width, found.token_budget) == ("image", 18, 280)
    assert here.blobs.path_of(found.sha256).read_bytes() == b"picture of a robin"
    assert isinstance(gone, TextPart)
    assert gone.text == "[a picture that the export does not hold: file_gone]"
    assert isinstance(fake, TextPart)
    assert "neither a picture nor a sound" in fake.text
    assert message.text.endswith("spoken words\n\nWhat are they?")
    assert (report.attachments, report.skipped) == (2, 1)
    assert len(here.blob_files) == 2


async def test_a_large_export_of_chatgpt_may_come_in_several_files(here: Place) -> None:
    file = here.folder / "export.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for number in (1, 0):
            question = node("q", "system", [], "user", text(f"Question {number}"))
            conversation = chat(question, title=None, update_time=9.0 - number)
            archive.writestr(f"conversations-00{number}.json", json.dumps([conversation]))
    await here.importer.import_file(file)
    titles = [conversation.title for conversation in await here.store.list()]
    assert titles == ["Question 0", "Question 1"]  # by time, whatever the file's order


async def test_conversations_that_are_none_are_left_out_and_told(here: Place) -> None:
    good = chat(node("q", "system", [], "user", text("Hello")))
    circle = {
        "title": "Round",
        "mapping": {
            "a": {"parent": "b", "children": ["b"]},
            "b": {"parent": "a", "children": ["a"]},
        },
    }
    file = here.folder / "conversations.json"
    file.write_text(json.dumps([circle, good, {"mapping": {}}, {"mapping": []}, 3]))
    report = await here.importer.import_file(file)
    assert (report.conversations, report.skipped) == (1, 4)
    assert report.sentences[0] == (
        "Conversation 1 (“Round”) was left out: its messages go round in a circle."
    )


async def test_a_long_chain_is_no_problem(here: Place) -> None:
    nodes = [
        node(
            f"n{n}",
            f"n{n - 1}" if n else "system",
            [f"n{n + 1}"],
            "user" if n % 2 else "tool",
            text(f"{n}"),
        )
        for n in range(3000)
    ]
    (tree,) = await from_chatgpt(here, chat(*nodes))
    assert len(branch_of(tree)) == 3000


@pytest.mark.parametrize(
    "content",
    [
        None,
        3,
        {"content_type": "text"},
        {"content_type": ["text"], "parts": "x"},
        {
            "content_type": "multimodal_text",
            "parts": [None, 3, {"asset_pointer": {"asset_pointer": 3}}, []],
        },
        {"content_type": "thoughts", "thoughts": [None, {"summary": 3}]},
    ],
)
async def test_content_of_no_known_shape_says_nothing(here: Place, content: object) -> None:
    question = node("q", "system", ["x"], "user", text("Hello"))
    (tree,) = await from_chatgpt(here, chat(question, node("x", "q", [], "assistant", content)))
    assert [message.text for message in tree.messages] == ["Hello"]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["all", "q", "a", "user", "file_ab12", ""]),
    lambda v: st.lists(v, max_size=2) | st.dictionaries(st.sampled_from(KEYS), v, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200)
@given(st.data())
def test_whatever_a_chatgpt_export_holds_it_is_read_or_left_out(data: st.DataObject) -> None:
    """Random values in random places of a conversation that is fine."""
    parts = [{"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_ab12"}, "x"]
    conversation: Any = chat(
        node("q", "system", ["a"], "user", {"content_type": "multimodal_text", "parts": parts}),
        node("a", "q", [], "assistant", text("Yes"), recipient="all", metadata={"model_slug": "m"}),
    )
    for _ in range(data.draw(st.integers(1, 3))):
        at = conversation
        for _ in range(data.draw(st.integers(0, 6))):
            inner = [
                v
                for v in (at.values() if isinstance(at, dict) else at)
                if isinstance(v, dict | list) and v
            ]
            if not inner:
                break
            at = data.draw(st.sampled_from(inner))
        place = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        at[place] = data.draw(VALUES)
    try:
        keys = set(media_keys(conversation))
        tree = to_tree(conversation, keys)
    except FieldError:
        return
    numbers = [message.id for message in tree.messages]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(
        message.parent_id is None or message.parent_id < message.id for message in tree.messages
    )
    assert tree.conversation.leaf_id in numbers


OTERM = """
    CREATE TABLE "chat" ("id" INTEGER, "name" TEXT, "model" TEXT NOT NULL, "system" TEXT,
        "provider" TEXT DEFAULT "ollama", "parameters" TEXT DEFAULT "{}", "tools" TEXT DEFAULT "[]",
        "thinking" BOOLEAN DEFAULT 0, PRIMARY KEY("id" AUTOINCREMENT));
    CREATE TABLE "message" ("id" INTEGER, "chat_id" INTEGER NOT NULL, "author" TEXT NOT NULL,
        "text" TEXT NOT NULL, "images" TEXT DEFAULT "[]", PRIMARY KEY("id" AUTOINCREMENT)
        FOREIGN KEY("chat_id") REFERENCES "chat"("id") ON DELETE CASCADE);
"""


def oterm(folder: Path, script: str, *rows: tuple[object, ...]) -> Path:
    path = folder / "store.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
        for sql, *values in rows:
            connection.execute(str(sql), values)
        connection.commit()
    return path


CHAT = "INSERT INTO chat (id, name, model, system) VALUES (?, ?, ?, ?)"
MESSAGE = "INSERT INTO message (chat_id, author, text, images) VALUES (?, ?, ?, ?)"


async def test_chats_of_oterm_are_imported_with_their_pictures(here: Place) -> None:
    picture = b64encode(b"picture").decode()
    file = oterm(
        here.folder,
        OTERM,
        (CHAT, 7, "Birds", "gemma4:e2b", "Be brief."),
        (CHAT, 8, None, "x", None),
        (MESSAGE, 7, "me", "Which bird?", json.dumps([picture, "!", 3])),
        (MESSAGE, 7, "ollama", "A robin.", "[]"),
        (MESSAGE, 8, "user", "Hello\nthere", "no JSON"),
        (MESSAGE, 8, "assistant", b"\xff", None),
    )
    before = file.read_bytes()
    birds, hello = await imported(here, file)
    assert (birds.conversation.title, birds.conversation.system_prompt) == ("Birds", "Be brief.")
    question, answer = branch_of(birds)
    assert [attachment.width for attachment in question.attachments] == [7]
    assert (question.text, question.model) == ("Which bird?", "")
    assert (answer.role, answer.text, answer.model) == ("model", "A robin.", "gemma4:e2b")
    assert hello.conversation.title == "Hello"
    assert [(message.role, message.text) for message in hello.messages] == [
        ("user", "Hello\nthere"),
        ("model", ""),
    ]
    assert file.read_bytes() == before


async def test_the_first_schema_of_oterm_is_understood(here: Place) -> None:
    script = """
        CREATE TABLE chat (id INTEGER PRIMARY KEY, name TEXT, model TEXT, context TEXT);
        CREATE TABLE message (chat_id INTEGER, author TEXT, text TEXT);
        INSERT INTO chat VALUES (1, 'Old', 'llama2', '[]');
        INSERT INTO message VALUES (1, 'me', 'Hello'), (1, 'ollama', 'Hi');
    """
    (tree,) = await imported(here, oterm(here.folder, script))
    assert [message.text for message in branch_of(tree)] == ["Hello", "Hi"]


@pytest.mark.parametrize(
    "script",
    [
        "CREATE TABLE other (id INTEGER)",
        "CREATE TABLE chat (id INTEGER, name TEXT); CREATE TABLE message (id INTEGER)",
        "CREATE TABLE chat (id INTEGER, name TEXT); CREATE TABLE t (x);"
        "CREATE VIEW message AS SELECT 1 AS chat_id, 'me' AS author, hex(zeroblob(100000000)) AS text",
        "CREATE TABLE chat (id INTEGER, name TEXT);"
        "CREATE VIRTUAL TABLE message USING fts5(chat_id, author, text)",
        "CREATE TABLE chat (id INTEGER, name TEXT); CREATE TABLE message (chat_id INTEGER,"
        " author TEXT, text TEXT AS (hex(zeroblob(100000000))))",
    ],
)
async def test_a_database_of_another_shape_is_refused(here: Place, script: str) -> None:
    with pytest.raises(UnknownFormatError, match="none of oterm's"):
        await here.importer.import_file(oterm(here.folder, script))
    assert await here.rows() == 0


async def test_a_damaged_database_is_refused(here: Place) -> None:
    rows = [(MESSAGE, 1, "me", "x" * 3000, "[]") for _ in range(50)]
    file = oterm(here.folder, OTERM, (CHAT, 1, "Birds", "x", ""), *rows)
    content = bytearray(file.read_bytes())
    content[8192:] = b"\xaa" * (len(content) - 8192)
    file.write_bytes(content)
    with pytest.raises(DamagedExportError, match="SQLite cannot read it"):
        await here.importer.import_file(file)
    assert await here.rows() == 0
