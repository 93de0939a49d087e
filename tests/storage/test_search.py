"""Full-text search, on a real file."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from itertools import compress
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from gemma_tui.conversation import (
    Attachment,
    AttachmentPart,
    Message,
    MessageState,
    TextPart,
    ThoughtPart,
)
from gemma_tui.errors import GemmaError
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.schema import MIGRATIONS, migrate
from gemma_tui.storage.search_index import CREATE, index_all
from gemma_tui.storage.search_query import SearchQuery
from gemma_tui.storage.tidying import purge
from gemma_tui.tool_call import ToolResult

if TYPE_CHECKING:
    import pytest

    from gemma_tui.conversation import Part
    from gemma_tui.paths import Paths
    from gemma_tui.storage.search import SearchHit

PICTURE = Attachment("aa" * 32, "image", "Holiday_beach.png", "image/png", 10, 4, 3, 0, 280)

Entry = tuple[str, int, str, int]


async def said(store: ConversationStore, *texts: str, title: str = "") -> tuple[int, list[int]]:
    """A conversation with these messages one below the other."""
    conversation = await store.create(title)
    ids: list[int] = []
    for text in texts:
        above = ids[-1] if ids else None
        made = await store.add_message(conversation.id, above, "user", (TextPart(text),))
        ids.append(made.id)
    return conversation.id, ids


async def found(store: ConversationStore, query: str, **where: int) -> list[int | None]:
    return [hit.message_id for hit in (await store.search(query, **where)).hits]


def marked(hit: SearchHit) -> list[str]:
    return [hit.snippet[start:end] for start, end in hit.ranges]


def entries(connection: sqlite3.Connection, table: str) -> list[Entry]:
    """Every word of an index: what, where, how far in."""
    connection.execute(f"CREATE VIRTUAL TABLE temp.v USING fts5vocab (main, {table}, instance)")
    rows = connection.execute('SELECT term, doc, col, "offset" FROM temp.v').fetchall()
    connection.execute("DROP TABLE temp.v")
    return sorted(tuple(row) for row in rows)


async def check_index(database: Database) -> None:
    """The index is sound, and the same as one that is made anew."""

    def work(connection: sqlite3.Connection) -> tuple[list[Entry], list[Entry]]:
        connection.execute("INSERT INTO search (search) VALUES ('integrity-check')")
        kept = entries(connection, "search")
        connection.execute("DROP TABLE search")
        connection.execute(CREATE)
        index_all(connection)
        return kept, entries(connection, "search")

    kept, anew = await database.write(work)
    assert kept == anew


async def test_the_newest_comes_first_with_what_stands_around_it(store: ConversationStore) -> None:
    first, (one, _) = await said(store, "the red cat", "nothing", title="Pets")
    _, (two,) = await said(store, "a CAT, too")
    (newest, oldest) = (await store.search("cat")).hits
    assert (newest.message_id, marked(newest), newest.snippet) == (two, ["CAT"], "a CAT, too")
    assert (oldest.message_id, oldest.role, marked(oldest)) == (one, "user", ["cat"])
    assert (oldest.conversation.id, oldest.conversation.title) == (first, "Pets")
    assert oldest.created_at == (await store.messages(first))[0].created_at


async def test_words_phrases_and_what_is_not_wanted(store: ConversationStore) -> None:
    _, (plain, other, accents) = await said(
        *(store, "the red cat sleeps", "a red dog and a cat", "un café à Zürich")
    )
    assert await found(store, "red cat") == [other, plain]
    assert await found(store, '"red cat"') == [plain]
    assert await found(store, "cat -dog") == [plain]
    assert await found(store, "slee") == [plain]
    assert await found(store, '"slee"') == []
    assert await found(store, "CAFE zuri") == [accents]
    for nothing in ("", "   ", "-cat", '"', "***", "unheard"):
        assert await found(store, nothing) == []


async def test_scripts_without_spaces_are_found(store: ConversationStore) -> None:
    _, (chinese, japanese, thai, korean) = await said(
        *(store, "今天天气很好，我们去公园", "東京タワーに行きました", "ฉันเป็นคนไทย", "학교에 간다")
    )
    assert await found(store, "天气") == [chinese]
    assert await found(store, "公园") == [chinese]
    assert await found(store, "气天") == []
    assert await found(store, "タワー") == [japanese]
    assert await found(store, "คนไทย") == [thai]
    assert await found(store, "학교") == [korean]
    (hit,) = (await store.search("天气")).hits
    assert (hit.snippet, marked(hit)) == ("今天天气很好，我们去公园", ["天气"])


async def test_file_names_are_searched_and_thoughts_are_not(store: ConversationStore) -> None:
    conversation = await store.create("")
    parts: tuple[Part, ...] = (
        *(AttachmentPart(PICTURE), ThoughtPart("secretly"), TextPart("half a ")),
        *(ThoughtPart("hm"), TextPart("word"), ToolResult("look_up", "gathered")),
    )
    made = await store.add_message(conversation.id, None, "model", parts)
    assert await found(store, "beach") == [made.id]
    assert marked((await store.search("beach")).hits[0]) == ["beach"]
    assert await found(store, '"half a word"') == [made.id]
    assert await found(store, "secretly") + await found(store, "gathered") == []


async def test_titles_come_first(store: ConversationStore) -> None:
    first, (one,) = await said(store, "about cats", title="x")
    second = await store.create("My cats")
    hits = (await store.search("cat")).hits
    assert [(h.conversation.id, h.message_id) for h in hits] == [(second.id, None), (first, one)]
    assert (hits[0].snippet, marked(hits[0]), hits[0].role) == ("My cats", ["cats"], None)
    await store.rename(second.id, "My dogs")
    assert await found(store, "cat") == [one]
    await store.archive(second.id)
    (title,) = (await store.search("dogs")).hits
    assert title.conversation.is_archived


async def test_one_conversation_with_all_its_branches(store: ConversationStore) -> None:
    first, (one, _) = await said(store, "cat", "x", title="cat")
    await said(store, "another cat")
    branch = await store.add_message(first, None, "user", (TextPart("cat again"),))
    assert await found(store, "cat", conversation_id=first) == [branch.id, one]
    assert await found(store, "cat", conversation_id=99) == []
    # Ids that begin alike are different words.
    assert await found(store, f"c{first}", conversation_id=first) == []


async def test_pages_follow_each_other_without_gap_or_repetition(store: ConversationStore) -> None:
    _, ids = await said(store, *(f"cat {n}" for n in range(7)), title="cat")
    pages: list[list[int | None]] = []
    before = None
    while not pages or before is not None:
        page = await store.search("cat", before=before, limit=3)
        pages.append([hit.message_id for hit in page.hits])
        before = page.next_before
    newest = ids[::-1]
    assert pages == [[None, *newest[:3]], newest[3:6], newest[6:]]
    exactly = await store.search("cat", limit=7)
    assert exactly.next_before is None


async def test_the_archived_are_found_and_the_deleted_are_not(store: ConversationStore) -> None:
    conversation_id, (one, two, three) = await said(store, *["cat"] * 3, title="cat")
    await store.archive(conversation_id)
    assert all(h.conversation.is_archived for h in (await store.search("cat")).hits)
    await store.delete_message(two)
    assert await found(store, "cat") == [None, one]
    await store.restore_message(two)
    assert await found(store, "cat") == [None, three, two, one]
    await store.delete(conversation_id)
    assert await found(store, "cat") == []
    await store.restore(conversation_id)
    assert await found(store, "cat") == [None, three, two, one]


async def test_a_reply_is_found_once_it_has_ended(
    database: Database, store: ConversationStore
) -> None:
    conversation = await store.create("")
    question, reply = await store.add_turn(conversation.id, None, (TextPart("why?"),), "")
    assert question is not None
    await store.update_streaming(reply.id, (TextPart("because of the c"),))
    assert await found(store, "because") == []
    assert await found(store, "why") == [question.id]
    said_all = replace(reply, parts=(TextPart("because of the cat"),))
    await store.finish(replace(said_all, state=MessageState.CANCELLED))
    assert await found(store, "because") == [reply.id]
    await store.resume(reply.id)
    assert await found(store, "because") == []
    longer = replace(reply, parts=(TextPart("because of the category"),))
    await store.finish(replace(longer, state=MessageState.COMPLETE))
    assert await found(store, '"category"') == [reply.id]
    assert await found(store, '"cat"') == []
    await store.finish(replace(longer, parts=(TextPart("no"),), state=MessageState.COMPLETE))
    assert await found(store, "because") == []
    await check_index(database)


async def test_what_a_crash_left_is_found(paths: Paths) -> None:
    first = await Database.open(paths.database)
    store = ConversationStore(first)
    conversation = await store.create("")
    _, reply = await store.add_turn(conversation.id, None, (TextPart("q"),), "")
    await store.update_streaming(reply.id, (TextPart("half an answ"),))
    await first.close()
    later = await Database.open(paths.database)
    store = ConversationStore(later)
    assert await store.mark_interrupted() == 1
    assert await found(store, "answ") == [reply.id]
    await check_index(later)
    await later.close()


async def test_words_of_what_was_purged_are_not_readable_in_the_file(paths: Paths) -> None:
    first = await Database.open(paths.database)
    store = ConversationStore(first)
    gone, _ = await said(store, "the xylophonist", "and another")
    _, (_, last) = await said(store, "kept", "the vibraphonist")
    await store.delete(gone)
    await store.delete_message(last)
    await first.close()
    for rest in (b"ylophonist", b"ibraphonist"):  # a word is kept without what the one before has
        assert rest in paths.database.read_bytes()
    later = await Database.open(paths.database)
    store = ConversationStore(later)
    assert await store.purge() == 2
    assert await found(store, "kept") != []
    await check_index(later)
    await later.close()
    for rest in (b"ylophonist", b"ibraphonist"):
        assert rest not in paths.database.read_bytes()


async def test_words_are_removed_later_if_the_program_ends_meanwhile(paths: Paths) -> None:
    first = await Database.open(paths.database)
    store = ConversationStore(first)
    gone, _ = await said(store, "the xylophonist")
    await store.delete(gone)
    await first.close()
    second = await Database.open(paths.database)
    assert await second.write(lambda c: purge(c, second.is_alive)) == 1
    await second.close()
    assert b"ylophonist" in paths.database.read_bytes()
    third = await Database.open(paths.database)
    assert await ConversationStore(third).purge() == 0
    await third.close()
    assert b"ylophonist" not in paths.database.read_bytes()


async def test_an_older_file_is_indexed_when_it_is_opened(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths.data.mkdir()
    old = sqlite3.connect(paths.database, isolation_level=None)
    with monkeypatch.context() as patch:
        patch.setattr("gemma_tui.storage.schema.MIGRATIONS", MIGRATIONS[:2])
        migrate(old, "x")
    old.executescript("""
        INSERT INTO conversation (title, system_prompt, created_at, updated_at, rank)
            VALUES ('t', '', 0, 0, 1);
        INSERT INTO message (conversation_id, role, state, writer, created_at)
            VALUES (1, 'user', 'complete', 'w', 0), (1, 'model', 'streaming', 'w', 0);
        INSERT INTO attachment VALUES ('aa', 'image', 'image/png', 1, 1, 1, 0);
        INSERT INTO part (message_id, position, type, text, sha256, name)
            VALUES (1, 1, 'text', 'the 红色 cat', NULL, ''), (1, 0, 'attachment', '', 'aa', 'b.png'),
                (2, 0, 'text', 'cat', NULL, '');
    """)
    old.close()
    database = await Database.open(paths.database)
    store = ConversationStore(database)
    for query in ("cat", "红色", "png"):
        assert await found(store, query) == [1]
    await check_index(database)
    await database.close()


ALPHABET = "aAbBéÉe\u0301йиσς ..-_\"'()*:^\n天气ไท1٣ß"


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(st.text(ALPHABET, max_size=14), min_size=1, max_size=5),
    queries=st.lists(st.text(ALPHABET, max_size=6) | st.text(max_size=8), min_size=1, max_size=4),
)
def test_the_index_finds_what_the_query_means(texts: list[str], queries: list[str]) -> None:
    async def work() -> None:
        database = await Database.open(None)
        store = ConversationStore(database)
        _, ids = await said(store, *texts)
        for query in (*queries, *texts):
            wanted = SearchQuery.parse(query)
            expected = list(compress(ids, wanted.filter(texts)))
            assert await found(store, query) == expected[::-1], (query, wanted)
        await database.close()

    asyncio.run(work())


class Changes:
    """What may happen to the messages of a store, in any order."""

    def __init__(self, store: ConversationStore, conversation_id: int) -> None:
        self.store = store
        self.conversation_id = conversation_id
        self.messages: list[Message] = []

    async def carry_out(self, name: str, number: int, text: str) -> None:
        above = self.messages[number % len(self.messages)] if self.messages else None
        if name == "ask" or above is None:
            parent_id = above.id if above else None
            question = (TextPart(text), AttachmentPart(replace(PICTURE, name=text)))
            asked, reply = await self.store.add_turn(self.conversation_id, parent_id, question, "")
            self.messages += [asked, reply] if asked else [reply]
            return
        match name:
            case "flush":
                await self.store.update_streaming(above.id, (TextPart(text), ThoughtPart("hm")))
            case "finish":
                state = [MessageState.COMPLETE, MessageState.CANCELLED][number % 2]
                await self.store.finish(replace(above, parts=(TextPart(text),), state=state))
            case "resume":
                await self.store.resume(above.id)
            case "delete":
                await self.store.delete_message(above.id)
            case "restore":
                await self.store.restore_message(above.id)


NAMES = ["ask", "flush", "finish", "resume", "delete", "restore"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(NAMES), st.integers(0, 20), st.text(max_size=10)), max_size=25
    )
)
def test_the_index_stays_true_whatever_happens(steps: list[tuple[str, int, str]]) -> None:
    async def work() -> None:
        database = await Database.open(None)
        store = ConversationStore(database)
        conversation = await store.create("x")
        changes = Changes(store, conversation.id)
        for step in steps:
            try:
                await changes.carry_out(*step)
            except GemmaError:
                continue  # what may not be done was refused
        await database.write(lambda c: purge(c, lambda _token: False))
        await check_index(database)
        await store.delete(conversation.id)
        await database.write(lambda c: purge(c, lambda _token: False))
        await check_index(database)
        await database.close()

    asyncio.run(work())
