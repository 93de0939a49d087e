"""Quantised copies: what is in them, that they load, and that nothing is left of half a copy."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections import namedtuple
from typing import TYPE_CHECKING, Any

import mlx.core as mx
import numpy as np
import pytest

from gemma_tui.errors import DiskFullError, ModelError, StorageError, UsageError
from gemma_tui.runtime import convert as converting
from gemma_tui.runtime.convert import Conversion, convert_folder
from gemma_tui.runtime.gemma4.weights import mlx_name
from gemma_tui.runtime.loader import load_model
from gemma_tui.runtime.safetensors import read_header
from gemma_tui.runtime.shards import ShardWriter
from tests.golden import recipe
from tests.runtime.gemma4.checkpoint import recipe_tensors, write_folder
from tests.runtime.quantised import Kind, stored_tensors, write_quantised

if TYPE_CHECKING:
    from pathlib import Path

TABLE = "language_model.model.embed_tokens_per_layer"
Usage = namedtuple("Usage", "total used free")


def convert(source: Path, target: Path, conversion: Conversion, **options: Any) -> int:
    return convert_folder(source, target, conversion, report=lambda _done, _total: None, **options)


def packed_layers(folder: Path) -> set[str]:
    names = stored_tensors(folder)
    return {name.removesuffix(".scales") for name in names if name.endswith(".scales")}


def test_a_copy_holds_what_mlx_makes_of_each_tensor(tiny_model: Path, tmp_path: Path) -> None:
    """In blocks of 5 KB, so that every matrix is read and written in pieces."""
    target = tmp_path / "copy"
    size = convert(tiny_model, target, Conversion(5, 32, per_layer_bits=8), block_bytes=5_000)
    found = stored_tensors(target)
    assert size == sum(values.nbytes for values in found.values())
    layers = packed_layers(target)
    assert TABLE in layers
    assert "language_model.model.embed_tokens" in layers
    assert all(layer.startswith("language_model.") for layer in layers)
    assert not [layer for layer in layers if "per_layer_" in layer and layer != TABLE]
    for original, values in stored_tensors(tiny_model).items():
        name = mlx_name(original)
        layer = name.removesuffix(".weight")
        if layer not in layers:
            turned = mx.moveaxis(values, 1, -1) if "conv" in name and values.ndim > 2 else values
            assert mx.array_equal(found[name], turned)
            assert found[name].dtype == values.dtype
            continue
        expected = mx.quantize(values, group_size=32, bits=8 if layer == TABLE else 5)
        for suffix, part in zip(("weight", "scales", "biases"), expected, strict=True):
            assert mx.array_equal(found[f"{layer}.{suffix}"], part), f"{layer}.{suffix}"


def test_the_config_says_so_as_mlx_lm_does(tiny_model: Path, tmp_path: Path) -> None:
    convert(tiny_model, tmp_path / "copy", Conversion(4, 64, per_layer_bits=6))
    config = json.loads((tmp_path / "copy" / "config.json").read_text("utf-8"))
    original = json.loads((tiny_model / "config.json").read_text("utf-8"))
    section = {"group_size": 64, "bits": 4, "mode": "affine"}
    assert config["quantization"] == {**section, TABLE: {**section, "bits": 6}}
    assert config.pop("quantization") == config.pop("quantization_config")
    assert config == original
    ours = {path.name for path in (tmp_path / "copy").iterdir()}
    assert ours == {path.name for path in tiny_model.iterdir()}
    for name in ("tokenizer.json", "processor_config.json", "generation_config.json"):
        assert (tmp_path / "copy" / name).read_bytes() == (tiny_model / name).read_bytes()


@pytest.mark.parametrize("bits", converting.CONVERTED_BITS)
def test_a_copy_loads_and_computes_what_its_values_say(
    tiny_model: Path, tmp_path: Path, bits: int
) -> None:
    target = tmp_path / "copy"
    convert(tiny_model, target, Conversion(bits))
    plain = shutil.copytree(tiny_model, tmp_path / "plain")
    tensors = stored_tensors(target)
    for layer in packed_layers(target):
        scales, biases = (
            tensors.pop(f"{layer}.{part}").astype(mx.float32) for part in ("scales", "biases")
        )
        packed = tensors.pop(f"{layer}.weight")
        tensors[f"{layer}.weight"] = mx.dequantize(packed, scales, biases, 64, bits)
    mx.save_safetensors(str(plain / "model.safetensors"), tensors)
    found, expected = (logits(folder) for folder in (target, plain))
    assert np.abs(found - expected).max() < 1e-3
    assert np.array_equal(found.argmax(-1), expected.argmax(-1))


def logits(folder: Path) -> np.ndarray:
    model = load_model(folder, lambda _phase, _fraction: None).model
    return np.asarray(model(mx.array([[2, *range(20, 60)]]), cache=model.make_cache()))


def test_a_fine_tune_in_shards_and_single_precision_becomes_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The small checkpoint has widths that no group divides: those layers stay plain."""
    whole = recipe_tensors()
    source = write_folder(tmp_path / "source", whole)
    convert(source, tmp_path / "single", Conversion(8, 32))
    monkeypatch.setattr(converting, "ShardWriter", lambda *a: ShardWriter(*a, shard_bytes=100_000))
    convert(source, tmp_path / "copy", Conversion(8, 32))
    shards = sorted((tmp_path / "copy").glob("*.safetensors"))
    assert len(shards) > 2
    for path in shards:
        header = read_header(path)
        assert len(header) == 1 or max(tensor.stop for tensor in header.values()) <= 100_000
    index = json.loads((tmp_path / "copy" / "model.safetensors.index.json").read_text("utf-8"))
    held = {name: path.name for path in shards for name in read_header(path)}
    assert index["weight_map"] == held
    assert np.array_equal(logits(tmp_path / "copy"), logits(tmp_path / "single"))


def test_what_is_quantised_already_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    for name, kind in {"a": Kind(), "b": Kind(32, 4, "mxfp4")}.items():
        quantised, _ = write_quantised(tiny_model, tmp_path / name, kind)
        with pytest.raises(ModelError, match="quantised already"):
            convert(quantised, tmp_path / "copy", Conversion(4))
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize(
    "conversion",
    [Conversion(3), Conversion(7), Conversion(4, 16), Conversion(4, 100), Conversion(4, 64, 2)],
)
def test_impossible_numbers_are_refused(
    tiny_model: Path, tmp_path: Path, conversion: Conversion
) -> None:
    with pytest.raises(UsageError):
        convert(tiny_model, tmp_path / "copy", conversion)
    assert list(tmp_path.iterdir()) == []


def test_nothing_that_is_there_is_overwritten(tiny_model: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    target.mkdir()
    with pytest.raises(UsageError, match="already there"):
        convert(tiny_model, target, Conversion(4))
    target.rmdir()
    target.symlink_to("nowhere")
    with pytest.raises(UsageError, match="already there"):
        convert(tiny_model, target, Conversion(4))
    with pytest.raises(UsageError, match="There is no folder"):
        convert(tiny_model, tmp_path / "absent" / "copy", Conversion(4))
    assert list(tmp_path.iterdir()) == [target]


def test_values_that_are_not_numbers_are_named_and_nothing_is_left(tmp_path: Path) -> None:
    whole = recipe_tensors()
    name = "model.language_model.embed_tokens.weight"
    whole[name] = whole[name].copy()
    whole[name][100, 3] = np.nan
    source = write_folder(tmp_path / "source", whole, recipe.CONFIG)
    with pytest.raises(ModelError, match=r"embed_tokens\.weight holds values"):
        convert(source, tmp_path / "copy", Conversion(8, 32), block_bytes=5_000)
    assert list(tmp_path.iterdir()) == [source]


def test_a_conversion_that_is_stopped_leaves_nothing(tiny_model: Path, tmp_path: Path) -> None:
    reports: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        reports.append((done, total))
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert_folder(tiny_model, tmp_path / "copy", Conversion(4), report=stop)
    assert list(tmp_path.iterdir()) == []
    assert [done for done, _ in reports] == sorted(done for done, _ in reports)


def test_too_little_space_is_said_before_anything_is_written(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**9, 10**9, 4_000_000))
    with pytest.raises(DiskFullError, match=r"needs 0\.00 GB|needs 0\.01 GB"):
        convert(tiny_model, tmp_path / "copy", Conversion(4))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, DiskFullError), (errno.EIO, StorageError)]
)
def test_a_disk_that_takes_no_more_leaves_nothing(
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: type[StorageError],
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(ShardWriter, "write_index", fail)
    with pytest.raises(StorageError) as caught:
        convert(tiny_model, tmp_path / "copy", Conversion(4))
    assert type(caught.value) is kind
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_conversion_left_is_replaced(tiny_model: Path, tmp_path: Path) -> None:
    left = tmp_path / ".copy.partial"
    left.mkdir()
    (left / "model.safetensors").write_bytes(b"half")
    (left / "other.json").write_bytes(b"half")
    lock = os.open(left, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(UsageError, match="being written already"):
        convert(tiny_model, tmp_path / "copy", Conversion(8))
    assert (left / "other.json").exists()
    os.close(lock)
    convert(tiny_model, tmp_path / "copy", Conversion(8))
    assert list(tmp_path.iterdir()) == [tmp_path / "copy"]
    assert not (tmp_path / "copy" / "other.json").exists()
