"""Probing: what files are, whatever they are called, and one sentence for each that will not do."""

from __future__ import annotations

import io
import os
import socket
import sys
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

import av
import numpy as np
import pillow_heif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, features

from gemma_tui.errors import (
    AttachmentError,
    DamagedFileError,
    LimitError,
    NotAFileError,
    UnsupportedFormatError,
)
from gemma_tui.generation import MediaInfo
from gemma_tui.preprocessing.probe import probe
from gemma_tui.text_file import MAX_TEXT_BYTES
from tests.golden import preprocessing_inputs as inputs
from tests.preprocessing.sounds import COMPRESSED, PLAIN, encoded, tone, wav

if TYPE_CHECKING:
    from pathlib import Path

IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "HEIF")
STATES_ITS_LENGTH = [sound for sound in COMPRESSED + PLAIN if sound[0] != "adts"]


@cache
def image_bytes(image_format: str) -> bytes:
    target = io.BytesIO()
    pillow_heif.register_heif_opener()
    inputs.picture("RGB", 90, 60).save(target, image_format)
    return target.getvalue()


@cache
def video_bytes(muxer: str, sound_seconds: float = 0) -> bytes:
    """One second of grey at 5 frames a second, with a sound at 16 kHz beside it."""
    target = io.BytesIO()
    with av.open(target, "w", format=muxer) as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        if sound_seconds:
            heard = container.add_stream("aac", rate=16_000)
            heard.codec_context.layout = "mono"
        grey = np.full((48, 64, 3), 128, np.uint8)
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, "rgb24")))
        container.mux(stream.encode(None))
        if sound_seconds:
            frame = av.AudioFrame.from_ndarray(
                tone(sound_seconds)[None].astype(np.float32), "fltp", "mono"
            )
            frame.sample_rate, frame.pts = 16_000, 0
            container.mux([*heard.encode(frame), *heard.encode(None)])
    return target.getvalue()


def probe_bytes(path: Path, data: bytes) -> MediaInfo:
    path.write_bytes(data)
    return probe(path, path.name)


@pytest.mark.parametrize("image_format", IMAGE_FORMATS)
@pytest.mark.parametrize("name", ["picture", "song.mp3", "notes.txt"])
def test_pictures_are_known_by_their_bytes(tmp_path: Path, image_format: str, name: str) -> None:
    info = probe_bytes(tmp_path / name, image_bytes(image_format))
    media_type = {"JPEG2000": "image/jp2", "HEIF": "image/heic"}.get(image_format)
    media_type = media_type or f"image/{image_format.lower()}"
    assert info == MediaInfo("image", media_type, 90, 60, 0, 70, "few pixels")


def test_a_heic_picture_needs_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for brands in (b"heic\0\0\0\0mif1heic", b"mif1\0\0\0\0mif1heic"):
        with pytest.raises(UnsupportedFormatError, match="is a HEIC picture") as caught:
            probe_bytes(tmp_path / "a.png", b"\0\0\0\x18ftyp" + brands)
        assert "gemma-tui[heic]" in caught.value.hint


@pytest.mark.parametrize(("muxer", "encoder", "rate", "media_type"), COMPRESSED + PLAIN)
def test_sounds_are_known_by_their_bytes(
    tmp_path: Path, muxer: str, encoder: str, rate: int, media_type: str
) -> None:
    info = probe_bytes(tmp_path / "photo.jpg", encoded(tone(1, rate), muxer, encoder, rate))
    assert (info.kind, info.media_type) == ("audio", media_type)
    assert 16_000 <= info.sample_count <= 17_100


def test_width_and_height_are_those_of_the_upright_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for image_format in ("JPEG", "PNG", "TIFF", "WEBP"):
        path = tmp_path / image_format
        inputs.picture("RGB", 90, 60).save(path, image_format, exif=exif)
        info = probe(path, "it")
        assert (info.width, info.height) == (60, 90), image_format


@pytest.mark.parametrize("tag", [b"ID3\x04\0\0\0\0\x01\x05" + b"\0" * 133])
def test_tags_before_the_sound_are_skipped(tmp_path: Path, tag: bytes) -> None:
    for muxer, encoder, media_type in (
        ("flac", "flac", "audio/flac"),
        ("adts", "aac", "audio/aac"),
        ("mp3", "mp3", "audio/mpeg"),
    ):
        plain = encoded(tone(1, 44_100), muxer, encoder, 44_100, {"id3v2_version": "0"})
        assert not plain.startswith(b"ID3")
        assert probe_bytes(tmp_path / "a", plain).media_type == media_type
        info = probe_bytes(tmp_path / "b", tag + plain)
        assert (info.media_type, info.sample_count >= 16_000) == (media_type, True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%!PS-Adobe-3.0\n", "a PostScript file"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "a PostScript file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a -->\n<svg/>", "an SVG drawing"),
        (b"\xff\xfe\0\0h\0\0\0", "not a picture or a sound this program reads"),
        (b"h\0e\0l\0l\0o\0", "not a picture or a sound this program reads"),
        (b"8BPS\0\x01" + b"\0" * 40, "not a picture or a sound this program reads"),
        (b"SIMPLE  =   T" + b"\0" * 40, "not a picture or a sound this program reads"),
        (b"FLV\x01\x05\0\0\0\x09", "a video"),
        (b"\0\0\x01\xba" + b"\xff" * 40, "a video"),
        (b"PK\x03\x04" + bytes(range(256)), "not a picture or a sound this program reads"),
        (b"\x7fELF\x02\x01\x01\0\0", "not a picture or a sound this program reads"),
        (b"\0", "not a picture or a sound this program reads"),
    ],
)
@pytest.mark.parametrize("name", ["a.png", "a.wav"])
def test_other_files_are_refused_whatever_their_name(
    tmp_path: Path, content: bytes, words: str, name: str
) -> None:
    with pytest.raises(UnsupportedFormatError) as caught:
        probe_bytes(tmp_path / name, content)
    assert caught.value.message.startswith(f"“{name}” is {words}")
    assert caught.value.hint


@pytest.mark.parametrize("muxer", ["mp4", "mov", "matroska"])
@pytest.mark.parametrize("seconds", [0.5, 40])
def test_the_sound_of_a_video_comes_with_its_frames(
    tmp_path: Path, muxer: str, seconds: float
) -> None:
    info = probe_bytes(tmp_path / "holiday", video_bytes(muxer, seconds))
    assert info.kind == "image"
    clips = [part for part in info.segments if part.kind == "audio"]
    assert len(clips) == (2 if seconds > 30 else 1)
    assert clips[-1].start + clips[-1].length == pytest.approx(seconds * 16_000, abs=3_000)


@pytest.mark.parametrize("muxer", ["mp4", "mov", "avi", "matroska"])
def test_a_video_is_known_by_its_bytes(tmp_path: Path, muxer: str) -> None:
    info = probe_bytes(tmp_path / "holiday.jpg", video_bytes(muxer))
    media_type = {"mov": "quicktime", "avi": "x-msvideo", "matroska": "x-matroska"}
    assert info.media_type == f"video/{media_type.get(muxer, muxer)}"
    assert (info.kind, info.width, info.height, info.suggested_budget) == ("image", 64, 48, 70)
    assert [part.label for part in info.segments] == ["00:00"]


def test_a_coding_that_is_not_on_the_list(tmp_path: Path) -> None:
    """WAV and MP4 are containers of anything; only known codings are decoded."""
    data = encoded(tone(1, 44_100), "mp4", "ac3", 44_100)
    with pytest.raises(UnsupportedFormatError, match="holds no sound this program can decode"):
        probe_bytes(tmp_path / "a.m4a", data)


def test_the_cover_of_a_song_does_not_make_it_a_video(tmp_path: Path) -> None:
    cover = b"\0image/jpeg\0\x03\0" + image_bytes("JPEG")
    frame = b"APIC" + len(cover).to_bytes(4, "big") + b"\0\0" + cover
    size = len(frame)
    tag = b"ID3\x03\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + frame
    plain = encoded(tone(1, 44_100), "mp3", "mp3", 44_100, {"id3v2_version": "0"})
    assert probe_bytes(tmp_path / "a.mp3", tag + plain).media_type == "audio/mpeg"


@pytest.mark.parametrize("image_format", IMAGE_FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.filterwarnings("ignore:Truncated File Read")
def test_cut_off_pictures_are_found_out(tmp_path: Path, image_format: str, share: float) -> None:
    whole = image_bytes(image_format)
    with pytest.raises(DamagedFileError, match="cut off or damaged"):
        probe_bytes(tmp_path / "a", whole[: int(len(whole) * share)])


@pytest.mark.parametrize(("muxer", "encoder", "rate", "_media_type"), STATES_ITS_LENGTH)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_cut_off_sounds_are_found_out(
    tmp_path: Path, muxer: str, encoder: str, rate: int, _media_type: str, share: float
) -> None:
    whole = encoded(tone(4, rate), muxer, encoder, rate)
    with pytest.raises(DamagedFileError, match="cut off"):
        probe_bytes(tmp_path / "a", whole[: int(len(whole) * share)])


def test_cut_off_m4a_with_its_index_first(tmp_path: Path) -> None:
    options = {"movflags": "faststart"}
    whole = encoded(tone(2, 44_100), "ipod", "aac", 44_100, options, tmp_path / "whole")
    assert whole.index(b"moov") < whole.index(b"mdat")
    with pytest.raises(DamagedFileError, match="cut off"):
        probe_bytes(tmp_path / "a", whole[: len(whole) * 2 // 3])


@pytest.mark.parametrize("claimed", [0, 0xFFFFFFFF, 0x7FFFF000, 4_000_000_000, 32_044])
def test_lengths_that_were_never_filled_in_are_no_fault(tmp_path: Path, claimed: int) -> None:
    info = probe_bytes(tmp_path / "a.wav", wav(tone(1), claimed=claimed))
    assert info.sample_count == 16_000


@pytest.mark.parametrize("claimed", [33_000, 1_500_000_000])
def test_wav_that_claims_more_than_it_has(tmp_path: Path, claimed: int) -> None:
    with pytest.raises(DamagedFileError, match=r"ends after 1\.0 s"):
        probe_bytes(tmp_path / "a.wav", wav(tone(1), claimed=claimed))


@pytest.mark.parametrize(
    "head",
    [b"\x89PNG\r\n\x1a\n", b"OggS", b"fLaC", b"GIF89a", b"\xff\xd8\xff\xe0", b"caff", b"II*\0"],
)
def test_a_signature_alone_is_a_damaged_file(tmp_path: Path, head: bytes) -> None:
    with pytest.raises(DamagedFileError):
        probe_bytes(tmp_path / "a", head)


def test_empty(tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match=r"“a\.png” is empty"):
        probe_bytes(tmp_path / "a.png", b"")


def test_95_megapixels_are_read_without_a_warning(tmp_path: Path) -> None:
    """Between Pillow's own limit of 89 megapixels and ours."""
    path = tmp_path / "large.png"
    Image.new("1", (10_000, 9_500), 1).save(path)
    assert (probe(path, "large.png").width, probe(path, "large.png").height) == (10_000, 9_500)


def test_places_that_are_no_files(tmp_path: Path) -> None:
    fifo, sock, loop, secret = (tmp_path / name for name in ("fifo", "socket", "loop", "secret"))
    os.mkfifo(fifo)
    loop.symlink_to(loop)
    secret.write_bytes(image_bytes("PNG"))
    secret.chmod(0)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(sock))
        places = [tmp_path / "missing", tmp_path, fifo, sock, loop, tmp_path / ("n" * 300)]
        places += [type(tmp_path)("/dev/zero"), type(tmp_path)("a\0b")]
        if os.geteuid() != 0:  # root may read everything
            places.append(secret)
        for place in places:
            with pytest.raises(NotAFileError) as caught:
                probe(place, "it")
            assert "“it”" in caught.value.message
            assert caught.value.hint


def test_a_photograph_with_a_second_picture_inside(tmp_path: Path) -> None:
    """Telephones append a depth map or a preview, which makes it a multi-picture JPEG."""
    pictures = [inputs.picture("RGB", 90, 60), inputs.picture("RGB", 30, 20)]
    path = tmp_path / "a.jpg"
    pictures[0].save(path, "MPO", save_all=True, append_images=pictures[1:])
    assert probe(path, "a.jpg") == MediaInfo("image", "image/jpeg", 90, 60, 0, 70, "few pixels")


def test_a_pillow_without_webp_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda name: name != "webp")
    with pytest.raises(UnsupportedFormatError, match="WEBP format"):
        probe_bytes(tmp_path / "a", image_bytes("WEBP"))


def test_decoders_are_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """FFmpeg would write its complaints to the standard error stream."""
    for muxer, encoder in (("mp3", "mp3"), ("adts", "aac"), ("flac", "flac")):
        data = bytearray(encoded(tone(1, 44_100), muxer, encoder, 44_100))
        data[3_000:3_400] = bytes(range(200)) * 2
        with suppress(AttachmentError):
            probe_bytes(tmp_path / "a", bytes(data))
    assert capfd.readouterr() == ("", "")


FLIPS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), max_size=12)


@cache
def fuzzed_bytes(kind: str) -> bytes:
    match kind:
        case "WAV":
            return wav(tone(0.2))
        case "MP3":
            return encoded(tone(0.2, 44_100), "mp3", "mp3", 44_100)
        case "M4A":
            return encoded(tone(0.2, 44_100), "ipod", "aac", 44_100)
        case _:
            return image_bytes(kind)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WAV", "MP3", "M4A"])
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(flips=FLIPS, at_start=st.booleans(), cut=st.floats(0.05, 1))
def test_flipped_bits_end_in_an_answer_or_a_sentence(
    tmp_path: Path, kind: str, flips: list[tuple[float, int]], at_start: bool, cut: float
) -> None:
    data = bytearray(fuzzed_bytes(kind))
    reach = min(64, len(data)) if at_start else len(data)
    for place, bit in flips:
        data[int(place * reach)] ^= 1 << bit
    with suppress(AttachmentError):
        info = probe_bytes(tmp_path / "a", bytes(data[: max(1, int(len(data) * cut))]))
        assert info.width * info.height > 0 or 320 <= info.sample_count <= 480_000


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(max_size=600))
def test_any_bytes_end_in_an_answer_or_a_sentence(tmp_path: Path, content: bytes) -> None:
    try:
        info = probe_bytes(tmp_path / "a", content)
    except AttachmentError:
        return
    assert info.kind == "text"
    assert "\0" not in content.decode()


@pytest.mark.parametrize(
    "content",
    [b"#EXTM3U\nfile:///etc/passwd\n", "ffconcat version 1.0 ä".encode(), b"\xef\xbb\xbfa"],
)
def test_a_playlist_is_a_text_and_opens_nothing(tmp_path: Path, content: bytes) -> None:
    info = probe_bytes(tmp_path / "a.wav", content)
    assert (info.kind, info.media_type, info.sample_count) == ("text", "text/plain", 0)


def test_a_text_is_looked_at_to_its_end(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormatError, match="not UTF-8 text: byte 4,000 is 0xe9"):
        probe_bytes(tmp_path / "notes.txt", b"a" * 4000 + b"\xe9 la carte")
    with pytest.raises(UnsupportedFormatError, match="NUL"):
        probe_bytes(tmp_path / "notes.txt", b"a" * 4000 + b"\0")
    with pytest.raises(LimitError, match="more than 16 MB of text"):
        probe_bytes(tmp_path / "notes.txt", b"a" * (MAX_TEXT_BYTES + 1))
