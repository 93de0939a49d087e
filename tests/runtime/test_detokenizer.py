"""Text appears as soon as it is complete, and is the same as decoding everything at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.runtime.detokenizer import Detokenizer
from gemma_tui.runtime.tokenizer import Control, Tokenizer
from tests.runtime.strategies import hostile_texts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenizers import Tokenizer as Backend


def bytes_as_ids(reference: Backend, data: bytes) -> list[int]:
    found = [reference.token_to_id(f"<0x{byte:02X}>") for byte in data]
    return [token_id for token_id in found if token_id is not None]


def stream(tokenizer: Tokenizer, ids: Iterable[int]) -> list[str]:
    detokenizer = Detokenizer(tokenizer)
    return [*map(detokenizer.add, ids), detokenizer.finish()]


@given(data=st.data())
def test_the_whole_is_what_the_library_decodes(
    tokenizer: Tokenizer, reference: Backend, data: st.DataObject
) -> None:
    ordinary = st.integers(0, reference.get_vocab_size() - 1).filter(
        lambda i: isinstance(tokenizer.piece(i), str) and i not in tokenizer.control_ids
    )
    characters = st.characters(codec="utf-8").map(lambda c: bytes_as_ids(reference, c.encode()))
    parts = data.draw(st.lists(ordinary.map(lambda i: [i]) | characters, max_size=30))
    ids = [token_id for part in parts for token_id in part]
    assert "".join(stream(tokenizer, ids)) == reference.decode(ids)


@given(data=st.data())
def test_only_broken_bytes_are_replaced(
    tokenizer: Tokenizer, reference: Backend, data: st.DataObject
) -> None:
    any_id = st.integers(0, reference.get_vocab_size())
    byte = st.sampled_from(bytes_as_ids(reference, bytes(range(256))))
    ids = data.draw(st.lists(any_id | byte, max_size=30))
    expected, run = "", b""
    for token_id in [*ids, tokenizer.id_of(Control.EOS)]:
        piece = tokenizer.piece(token_id)
        if isinstance(piece, bytes):
            run += piece
        else:
            expected, run = expected + run.decode("utf-8", "replace") + piece, b""
    assert "".join(stream(tokenizer, ids)) == expected


@given(text=hostile_texts)
def test_text_survives_the_way_there_and_back(tokenizer: Tokenizer, text: str) -> None:
    assert "".join(stream(tokenizer, tokenizer.encode_text(text))) == text.replace("▁", " ")


@pytest.mark.parametrize("character", ["é", "世", "🙂"])
def test_a_character_appears_with_its_last_byte(
    tokenizer: Tokenizer, reference: Backend, character: str
) -> None:
    data = character.encode()
    texts = stream(tokenizer, bytes_as_ids(reference, data))
    assert texts == [""] * (len(data) - 1) + [character, ""]


def test_half_a_character_is_replaced_when_it_can_never_be_whole(
    tokenizer: Tokenizer, reference: Backend
) -> None:
    half = bytes_as_ids(reference, "🙂".encode()[:2])
    (letter,) = tokenizer.encode_text("a")
    assert stream(tokenizer, half) == ["", "", "\ufffd"]
    assert stream(tokenizer, [*half, letter]) == ["", "", "\ufffda", ""]
    end = tokenizer.id_of(Control.TURN_END)
    assert stream(tokenizer, [*half, end]) == ["", "", "\ufffd", ""]


def test_control_tokens_are_silent(tokenizer: Tokenizer) -> None:
    assert "".join(stream(tokenizer, sorted(tokenizer.control_ids))) == ""


def test_every_token_is_looked_at_once(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    piece = tokenizer.piece

    def count(token_id: int) -> str | bytes:
        looked.append(token_id)
        return piece(token_id)

    monkeypatch.setattr(tokenizer, "piece", count)
    ids = tokenizer.encode_text("What is this? 🙂 \n" * 1000)
    assert "".join(stream(tokenizer, ids)) == "What is this? 🙂 \n" * 1000
    assert looked == list(ids), "a long answer costs no more per token than a short one"
