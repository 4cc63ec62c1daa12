from __future__ import annotations

import logging
import threading
from dataclasses import replace

import numpy as np
import pytest

from fer_core.errors import UserError
from fer_core.media import AudioBlock, FaceBox, VideoFrame
from fer_core.preprocess.face import FaceDetector, FaceTracker
from fer_desktop.capture.synthetic import SyntheticCamera, SyntheticMicrophone
from fer_desktop.capture.workers import CameraThread, MicrophoneThread
from fer_desktop.live.recent_media import RecentMedia

BRIGHT, DARK = (np.full((48, 64, 3), level, np.uint8) for level in (120, 4))
UNPLUGGED = UserError("Webcam was unplugged.", "Plug it in again.")


class Script:
    """A device that does what it is told, one entry for each open and each read.

    An entry is raised if it is an exception, else returned.
    """

    name = "Webcam"

    def __init__(self, *entries: object) -> None:
        self.entries = list(entries)
        self.closed = 0

    def _next(self) -> object:
        entry = self.entries.pop(0)
        if isinstance(entry, Exception):
            raise entry
        return entry

    def open(self) -> None:
        assert self._next() in ("opens",)

    def read(self, timeout_s: float = 0) -> object:
        return self._next()

    def close(self) -> None:
        self.closed += 1


class ScriptedDetector:
    """Finds in every picture the faces it is told; knows the thread it belongs to."""

    def __init__(self, faces: list[FaceBox]) -> None:
        self.faces = faces
        self.thread = threading.current_thread()
        self.closed = False

    def detect(self, image: np.ndarray) -> list[FaceBox]:
        assert threading.current_thread() is self.thread
        return self.faces

    def close(self) -> None:
        self.closed = True


class Tape:
    """A recorder that keeps what comes."""

    def __init__(self) -> None:
        self.frames: list[VideoFrame] = []
        self.blocks: list[AudioBlock] = []

    def add_frame(self, frame: VideoFrame, face: FaceBox | None) -> None:
        self.frames.append(frame)

    def add_sound(self, block: AudioBlock) -> None:
        self.blocks.append(block)


class Board:
    """What the window would show."""

    def __init__(self) -> None:
        self.said: list[object] = []
        self.shown: dict[str, object] = {}

    def fault(self, notice) -> None:
        self.said.append(notice)
        self.shown[notice.key] = notice

    def ok(self, key: str) -> None:
        self.shown.pop(key, None)


def frame(i: int = 0, image: np.ndarray = BRIGHT, time_s: float | None = None) -> VideoFrame:
    return VideoFrame(image, i / 30 if time_s is None else time_s, i)


def block(time_s: float) -> AudioBlock:
    return AudioBlock(np.full(960, 0.1, np.float32), 48_000, time_s)


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def recent() -> RecentMedia:
    return RecentMedia()


@pytest.fixture
def tape() -> Tape:
    return Tape()


@pytest.fixture
def camera_thread(board, recent, tape):
    def make(camera, faces=(), sink=recent) -> CameraThread:
        return CameraThread(
            camera,
            lambda: ScriptedDetector(list(faces)),
            FaceTracker(),
            sink,
            board.fault,
            board.ok,
            tape,
        )

    return make


# -------------------------------------------------------------------- camera


def test_a_frame_goes_to_the_preview_with_its_faces(camera_thread, recent):
    large, small = FaceBox(0, 0, 20, 20, 0.9), FaceBox(40, 0, 10, 10, 0.8)
    thread = camera_thread(Script("opens", frame(7)), [large, small])
    assert thread.step() is None
    seen = recent.newest()
    assert (seen.frame.index, seen.face, seen.others) == (7, large, (small,))


def test_an_unplugged_camera_is_told_once_and_comes_back_by_itself(camera_thread, board, recent):
    gone = UserError("There is no camera at /dev/video0.")
    camera = Script("opens", frame(0), UNPLUGGED, gone, gone, "opens", frame(1))
    thread = camera_thread(camera)
    pauses = [thread.step() for _ in range(5)]
    assert pauses == [None, 0.5, 1.0, 2.0, None]
    assert [notice.text for notice in board.said] == ["Webcam was unplugged."]
    assert board.said[0].hint == "Plug it in again."
    assert board.said[0].retry
    assert camera.closed == 3
    assert board.shown == {}
    assert recent.newest().frame.index == 1


def test_pauses_grow_to_five_seconds_and_start_over_once_it_works(camera_thread):
    thread = camera_thread(Script(*[UNPLUGGED] * 6, "opens", frame(), UNPLUGGED))
    assert [thread.step() for _ in range(8)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0, None, 0.5]


def test_retry_tries_at_once_and_tells_again(camera_thread, board):
    thread = camera_thread(Script(*[UNPLUGGED] * 4))
    for _ in range(3):
        thread.step()
    assert len(board.said) == 1
    thread.retry_now()
    assert thread._wake.is_set(), "the wait between two attempts is over"
    assert thread.step() == 0.5
    assert len(board.said) == 2


def test_a_second_fault_is_told_again(camera_thread, board):
    thread = camera_thread(Script("opens", UNPLUGGED, "opens", frame(), UNPLUGGED))
    for _ in range(3):
        thread.step()
    assert len(board.said) == 2


def test_opening_alone_does_not_clear_the_fault(camera_thread, board):
    stalled = UserError("Webcam has sent no picture for 3 seconds.")
    thread = camera_thread(Script("opens", stalled, "opens", stalled))
    thread.step()
    thread.step()
    assert len(board.said) == 1
    assert board.shown


def test_a_driver_that_crashes_is_a_fault_and_not_the_end(camera_thread, board, caplog):
    thread = camera_thread(Script("opens", RuntimeError("bad header"), "opens", frame()))
    with caplog.at_level(logging.ERROR):
        assert thread.step() == 0.5
    assert "bad header" in board.said[0].text
    assert "RuntimeError" in caplog.text
    assert thread.step() is None
    assert board.shown == {}


def test_darkness_is_told_after_two_seconds_and_cleared_by_light(camera_thread, board):
    dark = [frame(i, DARK) for i in range(90)]
    light = [frame(90 + i) for i in range(3)]
    thread = camera_thread(Script("opens", *dark, *light))
    for i in range(90):
        thread.step()
        assert len(board.said) == (i >= 60), i
    assert board.said[0].severity == "warning"
    assert "black" in board.said[0].text
    thread.step()
    assert board.shown == {}


def night(begin_s: float) -> list[VideoFrame]:
    """Four frames a second, for two seconds: the last one is one too many."""
    return [frame(i, DARK, begin_s + i / 4) for i in range(9)]


def test_each_darkness_is_told_anew(camera_thread, board):
    thread = camera_thread(Script("opens", *night(0), frame(9, time_s=3.0), *night(4)))
    for _ in range(19):
        thread.step()
    assert len(board.said) == 2
    assert board.shown


def test_a_camera_that_comes_back_is_given_two_seconds_of_darkness_again(camera_thread, board):
    thread = camera_thread(Script("opens", *night(0), UNPLUGGED, "opens", *night(4)))
    for _ in range(10):
        thread.step()
    assert ["black" in notice.text for notice in board.said] == [True, False]
    for i in range(9):
        thread.step()
        assert len(board.said) == 2 + (i == 8)


def test_a_blink_of_darkness_is_not_told(camera_thread, board):
    frames = [frame(i, BRIGHT if i % 45 == 44 else DARK) for i in range(200)]
    thread = camera_thread(Script("opens", *frames))
    for _ in frames:
        thread.step()
    assert board.said == []


def test_a_stopped_thread_reports_no_fault(camera_thread, board):
    thread = camera_thread(Script("opens", UserError("Webcam is closed.")))
    thread.stop()
    thread.step()
    assert board.said == []


def test_stop_ends_a_read_that_waits_for_a_stalled_camera(camera_thread):
    camera = Script()
    camera_thread(camera).stop()
    assert camera.closed == 1


def test_what_is_read_after_the_stop_is_handed_to_nobody(camera_thread, recent, tape):
    camera = Script("opens", frame())
    thread, read = camera_thread(camera), camera.read

    def stopped_meanwhile(timeout_s: float = 0) -> object:
        thread.stop()
        return read()

    camera.read = stopped_meanwhile
    thread.step()
    assert recent.newest() is None
    assert tape.frames == []


def test_stop_waits_for_a_frame_that_is_being_handed_over(camera_thread):
    entered, go_on = threading.Event(), threading.Event()

    class Slow:
        def add_frame(self, *_: object) -> None:
            entered.set()
            go_on.wait(5)

    thread = camera_thread(Script("opens", frame()), sink=Slow())
    reading = threading.Thread(target=thread.step)
    reading.start()
    assert entered.wait(5)
    stopping = threading.Thread(target=thread.stop)
    stopping.start()
    stopping.join(0.05)
    assert stopping.is_alive()
    go_on.set()
    stopping.join(5)
    reading.join(5)
    assert not stopping.is_alive()


def test_the_detector_is_let_go_of_with_the_camera(board, recent):
    camera, detectors = Script("opens", frame()), []

    def make() -> ScriptedDetector:
        detectors.append(ScriptedDetector([]))
        return detectors[-1]

    thread = CameraThread(camera, make, FaceTracker(), recent, board.fault, board.ok)
    thread.step()
    thread.finish()
    assert camera.closed == 1
    assert [detector.closed for detector in detectors] == [True]


def test_the_real_thread_finds_the_drawn_face_and_ends_when_told(board, recent, until):
    camera = SyntheticCamera()
    thread = CameraThread(camera, FaceDetector, FaceTracker(), recent, board.fault, board.ok)
    assert not thread.daemon
    thread.start()
    until(lambda: (seen := recent.newest()) is not None and seen.face is not None, 10)
    thread.stop()
    thread.join(2)
    assert not thread.is_alive()
    assert board.said == []


def test_a_thread_that_waits_to_try_again_ends_at_once(camera_thread, board, until):
    thread = camera_thread(Script(*[UNPLUGGED] * 100))
    thread._pause_s = 5.0
    thread.start()
    until(lambda: bool(board.said))
    thread.stop()
    thread.join(1)
    assert not thread.is_alive()


# ---------------------------------------------------------------- microphone


@pytest.fixture
def now() -> list[float]:
    return [100.0]


@pytest.fixture
def microphone_thread(board, recent, now, tape):
    def make(*entries: object) -> MicrophoneThread:
        microphone = Script(*entries)
        return MicrophoneThread(microphone, recent, board.fault, board.ok, lambda: now[0], tape)

    return make


def test_sound_arrives_at_16_khz_in_its_place(microphone_thread, recent):
    thread = microphone_thread("opens", *[block(100 + i * 0.02) for i in range(100)])
    for _ in range(100):
        thread.step()
    assert 101.95 < recent.audio_until <= 102.0
    clip = recent.clip(101.8125)
    assert clip.waveform_mask.sum() == pytest.approx(1.8125 * 16_000, abs=1)
    assert np.abs(clip.waveform[-16_000:] - 0.1).max() < 0.001


def test_a_microphone_that_sends_nothing_is_told_after_two_seconds(microphone_thread, board, now):
    thread = microphone_thread("opens", block(100), *[None] * 9, "opens", block(103))
    thread.step()
    for _ in range(8):
        now[0] += 0.25
        assert thread.step() is None
    assert board.said == []
    now[0] += 0.25
    assert thread.step() == 0.5
    assert "sent nothing" in board.said[0].text
    thread.step()
    assert board.shown == {}


def test_a_microphone_has_ten_seconds_to_begin(microphone_thread, board, now):
    thread = microphone_thread("opens", *[None] * 42)
    for _ in range(41):
        thread.step()
        now[0] += 0.25
    assert board.said == []
    thread.step()
    assert [notice.key for notice in board.said] == ["microphone"]


def test_a_microphone_that_pauses_after_a_long_talk_is_no_fault(microphone_thread, board, now):
    thread = microphone_thread("opens", *[block(100 + i) for i in range(5)], None)
    for _ in range(6):
        assert thread.step() is None
        now[0] += 1.0
    assert board.said == []


def test_a_microphone_opened_again_has_ten_seconds_again(microphone_thread, now):
    thread = microphone_thread("opens", None, None, "opens", None, None)
    thread.step()
    now[0] += 11
    assert thread.step() == 0.5
    assert thread.step() is None
    now[0] += 9
    assert thread.step() is None


def test_sound_that_the_filter_still_holds_was_not_heard_yet(microphone_thread, recent):
    short = AudioBlock(np.zeros(48, np.float32), 48_000, 100.0)
    thread = microphone_thread("opens", short, replace(short, overflowed=True))
    thread.step()
    assert recent.audio_until is None
    thread.step()
    assert recent.audio_losses == 1  # but what was lost before it is counted


def test_a_recorder_gets_the_sound_as_the_microphone_gave_it(microphone_thread, tape):
    blocks = [block(100), block(100.02)]
    thread = microphone_thread("opens", *blocks)
    thread.step()
    thread.step()
    assert tape.blocks == blocks


def test_what_is_heard_after_the_stop_is_handed_to_nobody(microphone_thread, recent, tape):
    thread = microphone_thread("opens", block(100), block(100.02), block(100.04))
    thread.step()
    thread.step()
    until = recent.audio_until
    thread.stop()
    thread.step()
    assert recent.audio_until == until
    assert len(tape.blocks) == 2


def test_an_unplugged_microphone_is_told_and_comes_back(microphone_thread, board, recent):
    after = [block(103 + i * 0.02) for i in range(10)]
    thread = microphone_thread("opens", block(100), UNPLUGGED, "opens", *after)
    assert [thread.step() for _ in range(12)] == [None, 0.5] + [None] * 10
    assert [notice.key for notice in board.said] == ["microphone"]
    assert board.shown == {}
    assert recent.audio_until == pytest.approx(103.2, abs=0.04)


def test_the_real_thread_hears_the_made_up_voice(board, recent, until):
    thread = MicrophoneThread(SyntheticMicrophone(), recent, board.fault, board.ok)
    thread.start()
    until(lambda: recent.audio_until is not None, 5)
    thread.stop()
    thread.join(2)
    assert not thread.is_alive()
    assert board.said == []
