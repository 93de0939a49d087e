"""The catalogue: what is in the package, and what a user's file may and may not do to it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gemma_tui.hub.catalog import MAX_FILE_BYTES, Catalog, load_catalog
from gemma_tui.hub.variant import MEMORY_CLASSES
from gemma_tui.model_sizes import SIZES, model_name

if TYPE_CHECKING:
    from pathlib import Path

GIB = 1 << 30
NEW = """
[variants.mine]
size = "E4B"
repo = "me/gemma-4-e4b-mine"
kind = "affine"
bits = 5
size_bytes = 6_000_000_000
"""


def with_file(folder: Path, text: str) -> Catalog:
    """The catalogue with a file of the user's."""
    (folder / "catalog.toml").write_text(text, "utf-8")
    return load_catalog(folder)


def test_every_size_is_there_with_more_than_one_variant() -> None:
    catalog = load_catalog()
    assert catalog.problems == ()
    names = [variant.size.name for variant in catalog.variants]
    for layers, hidden_size in SIZES:
        name = model_name(layers, hidden_size, "").removeprefix("Gemma 4 ")
        (size, *_) = (v.size for v in catalog.variants if v.size.name == name)
        assert (size.shape.layers, size.shape.hidden_size) == (layers, hidden_size)
        assert names.count(name) > 1
    assert len({v.name for v in catalog.variants}) == len(names)
    assert len({v.repo.casefold() for v in catalog.variants}) == len(names)


@pytest.mark.parametrize(
    ("name", "bytes_per_token", "window", "context", "senses"),
    [
        ("e2b-4bit", 6 << 10, 512, 131_072, "sees, hears, thinks"),
        ("e4b-4bit", 16 << 10, 512, 131_072, "sees, hears, thinks"),
        ("12b-4bit", 16 << 10, 1024, 262_144, "sees, hears, thinks"),
        ("26b-a4b-4bit", 20 << 10, 1024, 262_144, "sees, thinks"),
        ("31b-4bit", 80 << 10, 1024, 262_144, "sees, thinks"),
    ],
)
def test_sizes_are_those_of_the_model_card(
    name: str, bytes_per_token: int, window: int, context: int, senses: str
) -> None:
    variant = load_catalog().find(name)
    assert variant is not None
    assert variant.cache_bytes_per_token == bytes_per_token
    assert (variant.window, variant.context_length) == (window, context)
    assert variant.senses == senses


def test_weights_are_about_their_parameters_times_their_bits() -> None:
    for variant in load_catalog().variants:
        size = variant.size
        full = 2 * (size.decoder_parameters + size.tower_parameters)
        if variant.kind == "full":
            assert variant.size_bytes == pytest.approx(full, rel=0.03)
        plain = (variant.bits + 0.5) / 8 * size.decoder_parameters + 2 * size.tower_parameters
        assert 0.95 * plain < variant.size_bytes < 1.03 * full
        assert variant.step_bytes < variant.size_bytes
        assert variant.size_bytes < variant.weight_bytes(has_gpu=False) <= 2 * variant.size_bytes
        assert variant.weight_bytes(has_gpu=True) == variant.size_bytes


def test_every_memory_class_has_one_recommended() -> None:
    catalog = load_catalog()
    for size in MEMORY_CLASSES:
        assert sum(size in v.recommended_gb for v in catalog.variants) == 1
    picked = [catalog.recommended(size * GIB) for size in (4, 8, 18, 32, 64, 512)]
    assert [v.name if v else None for v in picked] == [
        *(None, "e2b-4bit", "e4b-qat-4bit", "26b-a4b-4bit", "26b-a4b-6bit", "26b-a4b-6bit"),
    ]


def test_a_variant_is_found_by_its_name_and_by_its_repository() -> None:
    catalog = load_catalog()
    variant = catalog.find(" 12B-4bit ")
    assert variant is not None
    assert variant.is_pinned
    assert catalog.find("MLX-Community/gemma-4-12b-it-4bit") == variant
    assert variant.title == "Gemma 4 12B, 4 bit"
    assert catalog.find("e9b-4bit") is None


def test_the_users_file_adds_and_overrides_single_fields(tmp_path: Path) -> None:
    sha = "0123456789abcdef" * 2 + "01234567"
    text = f'{NEW}\n[variants.e2b-4bit]\nrevision = "{sha}"\n'
    catalog = with_file(tmp_path, text)
    assert catalog.problems == ()
    mine, changed = catalog.find("mine"), catalog.find("e2b-4bit")
    assert mine is not None
    assert changed is not None
    assert (mine.title, mine.revision, mine.is_pinned) == ("Gemma 4 E4B, 5 bit", "", False)
    assert (changed.revision, changed.size_bytes) == (sha, 3_580_000_000)
    assert len(catalog.variants) == len(load_catalog().variants) + 1


@pytest.mark.parametrize(
    ("line", "at", "words"),
    [
        ('repo = "../../etc/passwd"', 4, "must be owner/name"),
        ('repo = "me/.."', 4, "must be owner/name"),
        ('repo = "me/a\\u0000b"', 4, "must be owner/name"),
        ('repo = "/etc/passwd"', 4, "must be owner/name"),
        ('revision = "main"', 8, "40 hexadecimal digits"),
        ('size_bytes = "large"', 7, "whole number from"),
        ("size_bytes = -1", 7, "whole number from"),
        ("bits = true", 6, "whole number from 2 to 16"),
        ('kind = "gguf"', 5, "full, affine, qat or mixed"),
        ('size = "E9B"', 3, "must be one of E2B, E4B"),
        ("size = [1]", 3, "text of one line"),
        ("recommended_gb = [7]", 8, "list of some of 8, 16"),
        ('recommended_gb = ["8"]', 8, "list of some of 8, 16"),
        ("flavour = 1", 8, "is unknown"),
        ('good_for = "\\u001b[2J"', 8, "text of one line"),
    ],
)
def test_a_wrong_field_is_named_with_its_place_and_the_rest_holds(
    tmp_path: Path, line: str, at: int, words: str
) -> None:
    key = line.partition(" =")[0]
    kept = [row for row in NEW.splitlines() if not row.startswith(f"{key} =")]
    text = "\n".join((*kept[: at - 1], line, *kept[at - 1 :]))
    catalog = with_file(tmp_path, text)
    first, *others = catalog.problems
    assert f"catalog.toml, line {at}: “{key}” of “mine”" in first
    assert words in first
    assert all("lacks" in problem for problem in others)
    assert bool(others) == (catalog.find("mine") is None)
    assert len(catalog.variants) >= len(load_catalog().variants)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[variants.mine", "not valid TOML"),
        ("a = " + "[" * 5000, "not valid TOML"),
        ("variants = 7", "must be tables"),
        ("[servers.x]\nurl = 1", "“servers” is unknown"),
        ('[variants."../x"]\nbits = 4', "is no table, or its name"),
        ("[variants]\nmine = 4", "is no table, or its name"),
        ("[variants.mine]\nbits = 4", "lacks size, repo, kind, size_bytes"),
        ("[sizes.E4B]\nvision = 7", "must be a table with hidden_size"),
        ("[sizes.E9B]\nwindow = 7", "“E9B” lacks hears"),
    ],
)
def test_a_file_that_is_something_else_leaves_the_packages_catalogue(
    tmp_path: Path, text: str, words: str
) -> None:
    catalog = with_file(tmp_path, text)
    assert words in catalog.problems[0] + catalog.problems[-1]
    assert str(tmp_path / "catalog.toml") in catalog.problems[0]
    assert catalog.variants == load_catalog().variants


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    for content, words in ((b"\xff\xfe\x00", "UTF-8"), (b"#" * (MAX_FILE_BYTES + 1), "larger")):
        path.write_bytes(content)
        assert words in load_catalog(tmp_path).problems[0]
    path.unlink()
    assert load_catalog(tmp_path).problems == ()
    path.mkdir()
    assert "cannot be read" in load_catalog(tmp_path).problems[0]


def test_a_flood_of_problems_is_cut(tmp_path: Path) -> None:
    text = "".join(f"[variants.x{number}]\nbits = 99\n" for number in range(1000))
    assert 10 < len(with_file(tmp_path, text).problems) < 50


def test_sizes_of_ones_own_can_be_described(tmp_path: Path) -> None:
    numbers = (
        *("decoder_parameters", "active_parameters", "vocabulary", "hidden_size"),
        *("intermediate_size", "layers", "attention_heads", "head_dim", "global_head_dim"),
        *("sliding_layers", "global_layers", "key_heads", "global_key_heads", "window"),
    )
    size = "\n".join(f"{name} = 16" for name in numbers)
    text = f"[sizes.Mini]\nhears = false\ncontext_length = 4096\n{size}\n"
    catalog = with_file(tmp_path, text + NEW.replace('"E4B"', '"Mini"'))
    assert catalog.problems == ()
    mine = catalog.find("mine")
    assert mine is not None
    assert (mine.senses, mine.context_length) == ("thinks", 4096)


def test_importing_the_catalogue_reads_nothing_and_brings_no_toml() -> None:
    code = "import sys, gemma_tui.hub.catalog; print('tomllib' in sys.modules)"
    # What measures the coverage of tests brings it, too.
    environment = {n: value for n, value in os.environ.items() if not n.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "False"
