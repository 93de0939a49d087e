"""Photographs and recordings that are not ours, in every format, against the reference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from gemma_tui.errors import UnsupportedFormatError
from gemma_tui.metadata.removal import without_metadata
from gemma_tui.preprocessing.audio import audio_features
from gemma_tui.preprocessing.image import image_features
from gemma_tui.preprocessing.patches import cut_patches
from gemma_tui.preprocessing.picture_part import picture_pixels
from gemma_tui.preprocessing.probe import probe
from tests.golden.foreign_media import BUDGETS, EFFECTS, PICTURES, RECORDING, foreign

if TYPE_CHECKING:
    from numpy.typing import NDArray

pytestmark = pytest.mark.skipif(
    foreign(PICTURES[0]) is None,
    reason="pygame-ce, whose pictures and sounds these are, is missing",
)
GOLDEN: dict[str, NDArray[Any]] = dict(
    np.load(Path(__file__).parents[1] / "golden" / "foreign_media.npz")
)
LOSSY = (".jpg", ".webp")
"""Their decoders may differ by a level from one release to the next."""

PHOTOGRAPH = "peppers3.tif"
SAVED: dict[str, tuple[dict[str, Any], float]] = {
    "PNG": ({}, 0.0),
    "TIFF": ({"compression": "tiff_lzw"}, 0.0),
    "BMP": ({}, 0.0),
    "WEBP": ({"lossless": True}, 0.0),
    "JPEG2000": ({"irreversible": False}, 0.0),
    "JPEG": ({"quality": 95, "subsampling": 0}, 2.0),
    "AVIF": ({"quality": 95, "subsampling": "4:4:4"}, 1.5),
    "HEIF": ({"quality": 95, "chroma": 444}, 1.5),
    "GIF": ({}, 6.0),
}
"""How it is saved, and by how many levels a patch may be another on average."""

TURNED = ("PNG", "TIFF", "WEBP", "JPEG", "AVIF")
"""Formats that carry an EXIF orientation and leave the pixels as they are."""


def path_of(name: str) -> Path:
    found = foreign(name)
    assert found is not None, name
    return found


def check_against_reference(
    patches: NDArray[np.float32], key: str, budget: int, off: float
) -> None:
    """Every patch by its mean, and one by all of its pixels; `off` is in levels."""
    step = 4 if budget == max(BUDGETS) else 1
    means, middle = GOLDEN[f"{key} {budget}"], GOLDEN[f"{key} {budget} middle"]
    assert len(patches[::step]) == len(means)
    # what is stored has half precision
    assert np.abs(patches.mean(axis=1)[::step] - means).max() <= off / 255 + 0.0005
    shown = np.rint(255 * patches[len(patches) // 2])
    assert np.abs(shown - middle).mean() <= off


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("name", PICTURES, ids=lambda name: Path(name).name)
def test_pictures_are_what_the_reference_makes_of_them(name: str, budget: int) -> None:
    patches = image_features(path_of(name), "it", budget).pixel_values
    off = 1.0 if name.endswith(LOSSY) else 0.0
    check_against_reference(patches, Path(name).name, budget, off)


@pytest.mark.parametrize("name", PICTURES, ids=lambda name: Path(name).name)
def test_what_is_taken_out_before_it_is_stored_are_no_pixels(tmp_path: Path, name: str) -> None:
    path = tmp_path / "stored"
    path.write_bytes(b"".join(without_metadata(bytearray(path_of(name).read_bytes()))))
    stored = image_features(path, "it", 70).pixel_values
    assert np.array_equal(stored, image_features(path_of(name), "it", 70).pixel_values)


@pytest.mark.parametrize(
    ("image_format", "orientation"), [*((name, 1) for name in SAVED), *((n, 6) for n in TURNED)]
)
def test_a_photograph_is_the_same_in_every_format_and_orientation(
    tmp_path: Path, image_format: str, orientation: int
) -> None:
    options, off = SAVED[image_format]
    pillow_heif.register_heif_opener()
    path = tmp_path / "photograph"
    with Image.open(path_of(f"examples/data/{PHOTOGRAPH}")) as photograph:
        picture = photograph.convert("RGB")
    if orientation == 6:
        picture = picture.transpose(Image.Transpose.ROTATE_90)
        exif = Image.Exif()
        exif[0x0112] = 6
        options = {**options, "exif": exif}
    picture.save(path, image_format, **options)
    info = probe(path, "it")
    assert (info.width, info.height) == (512, 512)
    assert info.suggestion == "no small text"
    patches = image_features(path, "it", 280).pixel_values
    check_against_reference(patches, PHOTOGRAPH, 280, off)


def test_a_photograph_is_the_same_as_a_frame_of_a_video(tmp_path: Path) -> None:
    path = tmp_path / "film"
    with Image.open(path_of(f"examples/data/{PHOTOGRAPH}")) as photograph:
        pixels = np.asarray(photograph.convert("RGB"))
    with av.open(str(path), "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=5, options={"crf": "5"})
        stream.width, stream.height, stream.pix_fmt = 512, 512, "yuv444p"
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))
    patches = cut_patches(picture_pixels(path, "it", 280, 1000)).pixel_values
    check_against_reference(patches, PHOTOGRAPH, 280, 3.0)


def test_a_recording_is_heard_as_the_reference_hears_it() -> None:
    features = audio_features(path_of(f"{RECORDING}.wav"), "it")
    assert np.abs(features.input_features[::10] - GOLDEN["mel"]).max() < 2e-3
    assert features.token_count == 178  # 7.1 s


def test_a_recording_is_the_same_in_every_format() -> None:
    plain = audio_features(path_of(f"{RECORDING}.wav"), "it").input_features
    packed = audio_features(path_of(f"{RECORDING}.flac"), "it").input_features
    assert np.array_equal(plain, packed)
    for suffix, likeness in (("ogg", 0.9), ("opus", 0.9), ("mp3", 0.85)):
        lossy = audio_features(path_of(f"{RECORDING}.{suffix}"), "it").input_features
        assert abs(len(lossy) - len(plain)) <= 20, suffix
        # An encoder may put some frames in front: the best shift is taken.
        loud, other = plain[:, :60].mean(axis=1), lossy[:, :60].mean(axis=1)
        count = min(len(loud), len(other)) - 20
        found = max(
            float(np.corrcoef(loud[:count], other[shift : shift + count])[0, 1])
            for shift in range(20)
        )
        assert found > likeness, suffix


@pytest.mark.parametrize("name", EFFECTS)
def test_short_recordings_have_the_length_they_have(name: str) -> None:
    path = path_of(f"examples/data/{name}.wav")
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        seconds = float((stream.duration or 0) * (stream.time_base or 0))
    info = probe(path, "it")
    assert info.kind == "audio"
    assert info.sample_count == pytest.approx(16_000 * seconds, abs=800)


@pytest.mark.parametrize(
    "name", ["house_lo.wv", "tomato.xcf", "purple.qoi", "magenta.lbm", "green.pcx", "teal.svg",
             "MIDI_sample.mid", "surfonasinewave.xm", "sans.ttf"],
)  # fmt: skip
def test_other_formats_are_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(UnsupportedFormatError) as caught:
        probe(path_of(f"examples/data/{name}"), name)
    assert caught.value.message.startswith(f"“{name}” is ")
