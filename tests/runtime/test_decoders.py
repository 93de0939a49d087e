"""Decoder processes: what ends one, and that nothing else ends with it.

A stopped process stands for a codec that hangs, one that gets a signal for one that crashes; both
happen in the middle of a call, without any hook in the product.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from gemma_tui.errors import (
    AttachmentError,
    BudgetError,
    DamagedFileError,
    EngineError,
    LimitError,
    NotAFileError,
    UnsupportedFormatError,
)
from gemma_tui.generation import Media, MediaInfo
from gemma_tui.preprocessing.audio import audio_features
from gemma_tui.preprocessing.image import image_features
from gemma_tui.preprocessing.preview import preview
from gemma_tui.runtime.decoder_process import DecoderLimits
from gemma_tui.runtime.decoders import DECODER, Decoders
from tests.golden import preprocessing_inputs as inputs
from tests.preprocessing import documents
from tests.preprocessing.sounds import tone, wav

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOG = logging.getLogger("tests.decoders")


@pytest.fixture
def make() -> Iterator[Callable[..., Decoders]]:
    made: list[Decoders] = []

    def start(*arguments: Any) -> Decoders:
        made.append(Decoders(LOG, *arguments))
        return made[-1]

    yield start
    for decoders in made:
        decoders.close()


@pytest.fixture
def decoders(make: Callable[..., Decoders]) -> Decoders:
    return make()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    inputs.picture("RGB", 90, 60).save(path)
    return path


def stopped(decoders: Decoders, path: Path, pool: ThreadPoolExecutor) -> tuple[int, Future[Any]]:
    """A call that is in the hands of a process that does not go on, and that process."""
    decoders.probe(path, path.name)
    (process_id,) = decoders.process_ids
    os.kill(process_id, signal.SIGSTOP)
    call = pool.submit(decoders.probe, path, path.name)
    wait_until(lambda: decoders.busy_count == 1)
    return process_id, call


def wait_until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        time.sleep(0.005)


def test_results_are_those_of_the_functions(decoders: Decoders, tmp_path: Path) -> None:
    path, clip = tmp_path / "a.png", tmp_path / "a.wav"
    inputs.picture("RGBA", 321, 200).save(path)
    clip.write_bytes(wav(tone(1)))
    assert decoders.probe(path, "a") == MediaInfo(
        "image", "image/png", 321, 200, suggested_budget=70, suggestion="few pixels"
    )
    assert decoders.preview(path, "a") == preview(path, "a")
    assert decoders.preview(clip, "a") == preview(clip, "a")
    for budget in (70, 1120):
        found: Any = decoders.features(Media("image", "0", str(path), "a", token_budget=budget))
        wanted = image_features(path, "a", budget)
        np.testing.assert_array_equal(found.pixel_values, wanted.pixel_values)
        np.testing.assert_array_equal(found.positions, wanted.positions)
        assert (found.grid, found.token_count) == (wanted.grid, wanted.token_count)
    heard: Any = decoders.features(Media("audio", "0", str(clip), "a"))
    same = audio_features(clip, "a")
    np.testing.assert_array_equal(heard.waveform, same.waveform)
    np.testing.assert_allclose(heard.input_features, same.input_features, atol=1e-5)
    assert len(decoders.process_ids) == 1


def test_names_that_are_no_text_arrive(decoders: Decoders, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff\xfe \n\xc3\xa9.png")
    inputs.picture("RGB", 20, 20).save(path, "PNG")
    assert decoders.probe(path, "x").width == 20


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"%!PS-Adobe-3.0", UnsupportedFormatError),
        (b"\xff\xd8\xff\xe0 rubbish", DamagedFileError),
        (None, NotAFileError),
    ],
)
def test_errors_are_raised_again(
    decoders: Decoders, tmp_path: Path, content: bytes | None, error: type[AttachmentError]
) -> None:
    path = tmp_path / "x"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match="“x”") as caught:
        decoders.probe(path, "x")
    assert caught.value.hint
    assert len(decoders.process_ids) == 1


def test_a_wrong_budget_is_an_error_of_its_own(decoders: Decoders, picture: Path) -> None:
    with pytest.raises(BudgetError):
        decoders.features(Media("image", "0", str(picture), "a", token_budget=100))


@pytest.mark.parametrize("fatal", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL])
def test_a_crash_ends_the_decoder_only(decoders: Decoders, picture: Path, fatal: int) -> None:
    with ThreadPoolExecutor(1) as pool:
        process_id, call = stopped(decoders, picture, pool)
        os.kill(process_id, fatal)
        os.kill(process_id, signal.SIGCONT)
        with pytest.raises(DamagedFileError, match=r"“a\.png” crashed what decodes it"):
            call.result()
    assert decoders.probe(picture, "a").width == 90
    assert process_id not in decoders.process_ids


def test_one_that_the_system_ends_had_not_enough_memory(decoders: Decoders, picture: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        process_id, call = stopped(decoders, picture, pool)
        os.kill(process_id, signal.SIGKILL)
        with pytest.raises(LimitError, match="needs more memory"):
            call.result()


def test_a_hang_ends_with_its_time(make: Callable[..., Decoders], picture: Path) -> None:
    decoders = make(DecoderLimits(seconds=2.0))
    with ThreadPoolExecutor(1) as pool:
        process_id, call = stopped(decoders, picture, pool)
        with pytest.raises(LimitError, match="could not be decoded within 2 seconds"):
            call.result()
    assert process_id not in decoders.process_ids
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)
    assert decoders.probe(picture, "a").width == 90


BUSY = """
import gemma_tui.preprocessing.probe as media
from gemma_tui.preprocessing import decoder
def busy(path, name):
    while True:
        pass
media.probe = busy
decoder.main()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGXCPU"), reason="no limit of processor time here")
def test_endless_work_ends_also_if_nobody_waits(picture: Path) -> None:
    """The processor's limit holds in the process itself: an engine that was killed ends nothing."""
    from gemma_tui.preprocessing.transport import pack

    process = subprocess.Popen(
        (sys.executable, "-c", BUSY, "--memory", str(4 << 30)), stdin=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(pack(("probe", 1, (picture, "a")))[0])
    process.stdin.close()
    assert process.wait() == -signal.SIGXCPU


HUNGRY = """
import gemma_tui.preprocessing.probe as media
from gemma_tui.preprocessing import decoder
def hungry(path, name):
    return len(bytearray(8 << 30))
media.probe = hungry
decoder.main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="no limit of the address space here")
def test_memory_has_a_limit(make: Callable[..., Decoders], tmp_path: Path) -> None:
    path = tmp_path / "big.png"
    Image.new("RGB", (9_000, 9_000)).save(path)
    small = make(DecoderLimits(memory_bytes=400 << 20))
    with pytest.raises(LimitError, match=r"“big\.png” needs more memory"):
        small.features(Media("image", "0", str(path), "big.png", token_budget=70))
    assert make().features(Media("image", "0", str(path), "b", token_budget=70)).token_count == 64
    with pytest.raises(LimitError, match="needs more memory"):
        make(None, (sys.executable, "-c", HUNGRY)).probe(path, "big.png")


def test_one_that_died_while_nobody_asked_is_replaced(decoders: Decoders, picture: Path) -> None:
    decoders.probe(picture, "a")
    (process_id,) = decoders.process_ids
    os.kill(process_id, signal.SIGKILL)
    wait_until(lambda: os.waitid(os.P_PID, process_id, os.WEXITED | os.WNOWAIT) is not None)
    assert decoders.probe(picture, "a").width == 90
    assert process_id not in decoders.process_ids


def test_as_many_at_once_as_there_are_callers(decoders: Decoders, picture: Path) -> None:
    """A file that takes long keeps no other one from being looked at."""
    with ThreadPoolExecutor(1) as pool:
        process_id, slow = stopped(decoders, picture, pool)
        assert decoders.preview(picture, "a").width == 48
        assert not slow.done()
        os.kill(process_id, signal.SIGCONT)
        assert slow.result().width == 90
    assert len(decoders.process_ids) == 2


def test_nothing_is_left_behind(make: Callable[..., Decoders], picture: Path) -> None:
    decoders = make()
    decoders.probe(picture, "a")
    (process_id,) = decoders.process_ids
    decoders.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)


def test_it_ends_with_the_engine() -> None:
    process = subprocess.Popen((*DECODER, "--memory", str(4 << 30)), stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait() == 0


def test_one_that_cannot_be_started_is_an_error(make: Callable[..., Decoders]) -> None:
    with pytest.raises(EngineError, match="could not be started"):
        make(None, ("/nowhere/python",)).call("probe", "a", "a", "a")


def test_an_answer_that_is_none_is_refused(make: Callable[..., Decoders], picture: Path) -> None:
    forged = 'import os; os.read(0, 99); t = b\'{"class": "os:system", "fields": {}}\'\n'
    forged += 'os.write(1, len(t).to_bytes(4, "big") + t)'
    decoders = make(None, (sys.executable, "-c", forged))
    with pytest.raises(ValueError, match="not one of our values"):
        decoders.probe(picture, "a")
    assert decoders.process_ids == ()


def test_a_document_that_never_ends_ends_its_decoder_only(
    make: Callable[..., Decoders], tmp_path: Path, picture: Path
) -> None:
    """2 kB that take years to draw, and a document that is drawn right behind it."""
    pytest.importorskip("pypdfium2", reason="the extra gemma-tui[pdf] is not installed")
    endless, plain = tmp_path / "endless.pdf", tmp_path / "plain.pdf"
    endless.write_bytes(documents.endless())
    plain.write_bytes(documents.pdf([documents.words("one"), b"0 0 612 792 re f"]))
    with pytest.raises(LimitError, match=r"could not be decoded within 3 seconds"):
        make(DecoderLimits(seconds=3.0)).probe(endless, "endless.pdf")
    decoders = make()
    assert len(decoders.probe(plain, "plain.pdf").segments) == 2
    page: Any = decoders.features(Media("image", "0", str(plain), "a", token_budget=70, start=1))
    assert page.pixel_values.max() == 0
    assert decoders.preview(plain, "plain.pdf").width > 0


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_a_hundred_megapixels_of_grey_stay_small(
    make: Callable[..., Decoders], tmp_path: Path
) -> None:
    """12 kB that would be 400 MB if every pixel became a colour."""
    path = tmp_path / "large.png"
    Image.new("1", (10_000, 10_000), 1).save(path)
    decoders = make()
    assert decoders.probe(path, "large.png").width == 10_000
    decoders.features(Media("image", "0", str(path), "a", token_budget=1120))
    (process_id,) = decoders.process_ids
    status = (Path("/proc") / str(process_id) / "status").read_text(encoding="ascii")
    (peak,) = [int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line]
    assert peak < 400 * 1024
