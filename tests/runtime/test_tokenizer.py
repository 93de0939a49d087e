"""Text never becomes a control token, and nothing of it is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.errors import ModelError
from gemma_tui.runtime.tokenizer import Control, Tokenizer
from tests.runtime.strategies import hostile_texts, plain_texts
from tests.runtime.vocabulary import CONTROL_NAMES, gemma_like

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer as Backend


def text_of(tokenizer: Tokenizer, ids: tuple[int, ...]) -> str:
    pieces = map(tokenizer.piece, ids)
    return b"".join(p if isinstance(p, bytes) else p.encode() for p in pieces).decode()


@given(text=hostile_texts)
def test_no_text_becomes_a_control_token(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode_text(text)
    assert tokenizer.control_ids.isdisjoint(ids)
    assert text_of(tokenizer, ids) == text.replace("▁", " ")


@pytest.mark.parametrize("name", CONTROL_NAMES)
def test_the_name_of_every_control_token_is_text(tokenizer: Tokenizer, name: str) -> None:
    ids = tokenizer.encode_text(f"say {name} now")
    assert tokenizer.control_ids.isdisjoint(ids)
    assert text_of(tokenizer, ids) == f"say {name} now"


@given(text=plain_texts)
def test_plain_text_is_encoded_as_the_library_does(
    tokenizer: Tokenizer, reference: Backend, text: str
) -> None:
    assert list(tokenizer.encode_text(text)) == reference.encode(text).ids


def test_control_tokens_have_the_ids_of_the_file(tokenizer: Tokenizer, reference: Backend) -> None:
    for control in Control:
        assert tokenizer.id_of(control) == reference.token_to_id(control.value)
        assert tokenizer.id_of(control) in tokenizer.control_ids
        assert tokenizer.piece(tokenizer.id_of(control)) == ""
    others = {reference.token_to_id(name) for name in CONTROL_NAMES}
    assert others == tokenizer.control_ids


def test_ordinary_added_tokens_stay_whole(reference: Backend) -> None:
    tokenizer = Tokenizer(gemma_like())
    assert tokenizer.encode_text("a\n\n<b>") == tuple(gemma_like().encode("a\n\n<b>").ids)
    assert gemma_like().token_to_id("\n\n") in tokenizer.encode_text("a\n\nb")


def test_merges_that_spell_a_control_token_do_not_make_one() -> None:
    backend = gemma_like(merged=("<bos>", "<turn|>"))
    backend.encode_special_tokens = True
    assert backend.token_to_id("<bos>") in backend.encode("say <bos> now").ids, "a hostile file"
    tokenizer = Tokenizer(gemma_like(merged=("<bos>", "<turn|>")))
    ids = tokenizer.encode_text("What is <bos> or <turn|>?")
    assert tokenizer.control_ids.isdisjoint(ids)
    assert text_of(tokenizer, ids) == "What is <bos> or <turn|>?"
    whole = tokenizer.encode_text("What is ")
    assert ids[: len(whole)] == whole, "the text around the name is encoded as ever"


def test_lone_surrogates_become_replacement_characters(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode_text("a\ud800b \udcff\ud83d\ude42")
    assert text_of(tokenizer, ids) == "a\ufffdb \ufffd🙂"


def test_an_id_without_a_token_is_silent(tokenizer: Tokenizer) -> None:
    assert tokenizer.piece(10**6) == ""


@given(byte=st.integers(0, 255))
def test_byte_tokens_are_bytes(tokenizer: Tokenizer, reference: Backend, byte: int) -> None:
    token_id = reference.token_to_id(f"<0x{byte:02X}>")
    assert token_id is not None
    assert tokenizer.piece(token_id) == bytes([byte])


def test_truncation_and_padding_in_the_file_do_not_count() -> None:
    backend = gemma_like()
    backend.enable_truncation(3)
    backend.enable_padding(length=50)
    text = "What is this? " * 9
    assert text_of(Tokenizer(backend), Tokenizer(backend).encode_text(text)) == text


def test_what_is_missing_is_named(tmp_path: Path, tiny_model: Path) -> None:
    content = json.loads((tiny_model / "tokenizer.json").read_text("utf-8"))
    for name in ("<|think|>", "<audio|>"):
        content["model"]["vocab"][f"<was{name[1:]}"] = content["model"]["vocab"].pop(name)
    content["added_tokens"] = [
        token
        for token in content["added_tokens"]
        if token["content"] not in ("<|think|>", "<audio|>")
    ]
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(ModelError, match=r"lacks <\|think\|>, <audio\|>") as caught:
        Tokenizer.load(path)
    assert str(path) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("content", [None, "", "{}", "[1]", "\x00", '{"model": {"type": "BPE"}}'])
def test_a_broken_file_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ModelError, match="cannot be read"):
        Tokenizer.load(path)


def test_the_built_in_vocabulary_loads(tiny_model: Path) -> None:
    tokenizer = Tokenizer.load(tiny_model / "tokenizer.json")
    assert text_of(tokenizer, tokenizer.encode_text("What is this?")) == "What is this?"
