"""What is recorded, at made-up times, and what of it lies in the files."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import av
import numpy as np
import pytest

from fer_core.config import FERConfig
from fer_core.media import CLIP_SAMPLES, AudioBlock, Clip, FaceBox, VideoFrame
from fer_core.weights import new_model, save_checkpoint
from fer_desktop.errors import Notice
from fer_desktop.live import recording
from fer_desktop.live.recorded_results import ModelAnswering
from fer_desktop.live.recorder import Recorder
from fer_desktop.live.recording import Layout

pytestmark = pytest.mark.usefixtures("no_thread_stays")

FACE = FaceBox(20, 10, 24, 24, 0.9)
FPS, RATE = 20, 16_000
BLOCK = RATE // 50
SIZE = (64, 48)


class Studio:
    """A recorder, and media at made-up times: a flash and a beep at each whole second."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.notices: list[Notice] = []
        self.recorder = Recorder(self.notices.append)

    def film(
        self, begin_s: float, end_s: float, size: tuple[int, int] = SIZE, sound: bool = True
    ) -> None:
        for number in range(round(begin_s * FPS), round(end_s * FPS)):
            time_s = number / FPS
            grey = 250 if time_s % 1 < 0.2 else 20
            image = np.full((size[1], size[0], 3), grey, np.uint8)
            self.recorder.add_frame(VideoFrame(image, time_s, number), FACE)
            if not sound:
                continue
            for block in range(RATE // FPS // BLOCK + 1):
                start = round(time_s * RATE) + block * BLOCK
                if block * BLOCK < RATE // FPS:
                    count = min(BLOCK, RATE // FPS - block * BLOCK)
                    self.recorder.add_sound(AudioBlock(tone(start, count), RATE, start / RATE))

    def ends(self, now_s: float) -> None:
        self.recorder.end(now_s)
        assert self.recorder.join(60)

    def videos(self) -> list[Path]:
        return sorted(self.base.glob("*/*.mp4"))


def tone(start: int, count: int) -> np.ndarray:
    t = (start + np.arange(count)) / RATE
    return (0.5 * np.sin(2 * np.pi * 440 * t + 1) * (t % 1 < 0.2)).astype(np.float32)


def lines(video: Path) -> list[dict]:
    return [json.loads(line) for line in video.with_suffix(".jsonl").read_text().splitlines()]


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    studio = Studio(tmp_path / "recordings")
    yield studio
    studio.recorder.end(0.0)
    assert studio.recorder.join(60)


@pytest.fixture
def answers(scripted) -> Callable[..., object]:
    """A prediction whose clip ends then."""

    def answer(end_s: float, winner: int = 2):
        frames = tuple(VideoFrame(np.zeros((8, 8, 3), np.uint8), end_s, 0) for _ in range(16))
        clip = Clip(
            end_s - 3, frames, (FACE,) * 16,
            np.zeros(CLIP_SAMPLES, np.float32), np.ones(CLIP_SAMPLES, bool),
        )  # fmt: skip
        return scripted.Predictor(winner).predict(clip)

    return answer


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, tiny_config: FERConfig) -> ModelAnswering:
    folder = tmp_path_factory.mktemp("tiny")
    save_checkpoint(new_model(tiny_config, seed=0), folder)
    return ModelAnswering(tiny_config, folder)


def test_nothing_is_written_unless_asked(studio) -> None:
    studio.film(0, 0.5)
    assert studio.recorder.status(1.0) is None
    assert not studio.base.exists()


def test_sound_and_picture_are_in_step_and_as_long_as_the_recording(studio, recorded) -> None:
    studio.recorder.begin(studio.base, Layout(SIZE, True), 10.4)  # from 10.5 on
    studio.film(10, 14)
    status = studio.recorder.status(14.0)
    assert status.elapsed_s == pytest.approx(3.5)
    studio.ends(14.0)
    (video,) = studio.videos()
    assert status.video == video
    file = recorded(video)
    expected = [0.5, 1.5, 2.5]
    assert file.flashes_s() == pytest.approx(expected, abs=0.001)
    assert file.beeps_s() == pytest.approx(expected, abs=0.002)
    assert file.frames[0][0] == 0.0
    assert file.frames[0][1].shape == (48, 64, 3)
    assert len(file.sound) / file.rate == pytest.approx(3.5, abs=0.03)
    assert studio.notices[-1].severity == "info"
    assert f"The recording is in {video.parent}." in studio.notices[-1].text


def test_a_pause_is_left_out_and_what_follows_is_in_step(studio, recorded) -> None:
    recorder = studio.recorder
    recorder.begin(studio.base, Layout(SIZE, True), 10.4)
    studio.film(10, 11.7)
    recorder.pause(11.7)  # 1.2 are recorded
    studio.film(11.7, 15)
    assert recorder.status(15.0).paused
    recorder.resume(15.1)  # goes on at 15.375 with 1.5
    studio.film(15, 17)
    studio.ends(17.0)
    file = recorded(studio.videos()[0])
    assert file.flashes_s() == pytest.approx([0.5, 2.125], abs=0.001)
    assert file.beeps_s() == pytest.approx([0.5, 2.125], abs=0.002)
    assert file.frames[-1][0] == pytest.approx(3.075, abs=0.01)
    assert len(file.sound) / file.rate == pytest.approx(
        3.125, abs=0.05
    )  # the resampler holds back 40 ms


def test_a_picture_of_another_size_goes_on_in_a_file_of_its_own(studio, recorded) -> None:
    studio.recorder.begin(studio.base, Layout(SIZE, True), 10.1)
    studio.film(10, 12.2)
    studio.film(12.2, 14, size=(96, 54))
    studio.ends(14.0)
    first, second = (recorded(video) for video in studio.videos())
    assert first.frames[-1][0] == pytest.approx(2.025)
    assert {image.shape for _, image in second.frames} == {(54, 96, 3)}
    # It begins at the whole hop before, so that no frame is lost.
    assert len(second.frames) == 36
    assert second.flashes_s()[-1] == pytest.approx(second.beeps_s()[-1], abs=0.003)


def test_sound_and_picture_that_come_later_go_on_in_files_that_have_both(studio, recorded) -> None:
    studio.recorder.begin(studio.base, Layout(None, True), 10.1)
    studio.recorder.add_sound(AudioBlock(tone(0, RATE), RATE, 10.125))
    studio.film(12, 13)
    studio.ends(13.0)
    first, second = (recorded(video) for video in studio.videos())
    assert first.tracks == {"audio"}
    assert second.tracks == {"audio", "video"}


def test_sound_that_comes_later_is_in_step_with_the_picture(studio, recorded) -> None:
    studio.recorder.begin(studio.base, Layout(SIZE, False), 10.1)
    studio.film(10, 12.3, sound=False)
    studio.film(12.3, 15)
    studio.ends(15.0)
    first, second = (recorded(video) for video in studio.videos())
    assert first.tracks == {"video"}
    assert second.tracks == {"audio", "video"}
    assert len(second.beeps_s()) == 2
    assert second.beeps_s() == pytest.approx(second.flashes_s(), abs=0.003)


def test_the_first_sound_of_all_is_in_its_place_too(studio, recorded) -> None:
    studio.recorder.begin(studio.base, Layout(SIZE, False), 10.1)
    studio.film(10, 12.3, sound=False)
    loud = np.full(24_000, 0.5, np.float32)
    studio.recorder.add_sound(AudioBlock(loud, 48_000, 12.3))  # in a file that begins at 12.0
    studio.film(12.3, 13.5, sound=False)
    studio.ends(13.5)
    assert recorded(studio.videos()[1]).beeps_s() == pytest.approx([0.3], abs=0.003)


def test_another_beginning_ends_the_recording_before(studio) -> None:
    for begin_s in (10, 12):
        studio.recorder.begin(studio.base, Layout(SIZE, False), begin_s)
        studio.film(begin_s, begin_s + 1, sound=False)
    studio.ends(13.0)
    assert len(studio.videos()) == len(studio.notices) == 2


def test_who_answers_from_now_on_is_a_line_of_its_own(studio, model) -> None:
    studio.recorder.begin(studio.base, Layout(SIZE, False), 10.0)
    studio.film(10, 11, sound=False)
    studio.recorder.use_model(model)
    studio.ends(11.0)
    assert ["model" in line for line in lines(studio.videos()[0])] == [False, True]


def test_a_microphone_that_goes_silent_leaves_silence(studio, recorded) -> None:
    studio.recorder.begin(studio.base, Layout(SIZE, True), 10.0)
    studio.film(10, 11)
    studio.film(11, 14, sound=False)
    studio.film(14, 15)
    studio.film(15, 16, sound=False)
    studio.ends(16.0)
    file = recorded(studio.videos()[0])
    assert file.beeps_s()[-1] == pytest.approx(file.flashes_s()[-2], abs=0.003)
    assert len(file.sound) / file.rate == pytest.approx(file.frames[-1][0], abs=0.1)


def test_results_are_lines_that_are_there_at_once(studio, answers, model, until) -> None:
    studio.recorder.use_model(model)
    studio.recorder.begin(studio.base, Layout(SIZE, True), 10.1)
    studio.film(10, 12)
    studio.recorder.add_result(answers(10.125), 10.125)  # all of it lies before the recording
    studio.recorder.add_result(answers(11.25), 11.25)
    studio.recorder.add_result(None, 11.625)
    until(lambda: studio.videos() and len(lines(studio.videos()[0])) == 4, 30)
    head, used, answer, nobody = lines(studio.videos()[0])
    assert head["video"] == studio.videos()[0].name
    assert used["model"]["preset"] == "tiny"
    assert (answer["start_s"], answer["end_s"]) == (0.0, 1.125)
    assert (answer["emotion"], answer["uncertain"]) == ("happy", False)
    assert [s["start_s"] for s in answer["segments"]] == [0.0, 0.375, 0.75]
    assert answer["segments"][0]["face"]["x"] == FACE.x
    assert answer["segments"][0]["probabilities"]["happy"] == pytest.approx(0.72)
    assert answer["modalities"] == ["audio", "video"]
    assert (nobody["emotion"], nobody["segments"]) == (None, [])


def test_a_model_whose_files_have_gone_costs_the_timeline_and_nothing_else(
    studio, answers, model, tmp_path
) -> None:
    studio.recorder.use_model(ModelAnswering(model.config, tmp_path / "gone"))
    studio.recorder.begin(studio.base, Layout(SIZE, False), 10.0)
    studio.film(10, 12, sound=False)
    studio.recorder.add_result(answers(11.625), 11.625)
    studio.ends(12.0)
    (video,) = studio.videos()
    assert [line.get("emotion") for line in lines(video)] == [None, "happy"]
    assert not video.with_suffix(".json").exists()
    assert [notice.severity for notice in studio.notices] == ["info"]


def test_a_slow_disk_costs_frames_which_are_counted_and_no_sound(
    studio, recorded, monkeypatch
) -> None:
    may_write, held = threading.Event(), recording.MediaWriter.write_frame

    def slow(self, *frame) -> None:
        may_write.wait(30)
        held(self, *frame)

    monkeypatch.setattr(recording.MediaWriter, "write_frame", slow)
    monkeypatch.setattr(recording, "WAITING_BYTES", 10 * 64 * 48 * 3)
    studio.recorder.begin(studio.base, Layout(SIZE, True), 10.0)
    studio.film(10, 13)
    dropped = studio.recorder.status(13.0).frames_dropped
    may_write.set()
    studio.ends(13.0)
    file = recorded(studio.videos()[0])
    assert len(file.frames) + dropped == 3 * FPS - 3  # the first hop begins at 10.125
    assert 40 <= dropped <= 50
    assert len(file.beeps_s()) >= 2
    assert f"{dropped} frames were left out" in studio.notices[-1].text


def test_two_recordings_in_one_second_have_folders_of_their_own(studio) -> None:
    for begin_s in (10, 20):
        studio.recorder.begin(studio.base, Layout(SIZE, False), begin_s)
        studio.film(begin_s, begin_s + 1, sound=False)
        studio.ends(begin_s + 1)
    assert len({datetime.strptime(v.stem, "%Y-%m-%d_%H-%M-%S") for v in studio.videos()}) == 2


def test_a_folder_that_cannot_be_written_is_told_once(studio, until) -> None:
    studio.base.write_text("a file")
    studio.recorder.begin(studio.base, Layout(SIZE, True), 10.0)
    studio.film(10, 11)
    until(lambda: studio.notices, 30)
    assert studio.recorder.status(11.0) is None
    (notice,) = studio.notices
    assert notice.key == "recording"
    assert "cannot be written" in notice.text
    assert notice.hint


def test_a_full_disk_is_told_and_what_was_recorded_plays(tmp_path: Path, recorded) -> None:
    code = f"""
        import resource, signal, sys
        from pathlib import Path
        import numpy as np
        from fer_core.media import CLIP_SAMPLES, AudioBlock, Clip, VideoFrame
        from fer_desktop.live.recorder import Recorder
        from fer_desktop.live.recording import Layout
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
        recorder = Recorder(lambda notice: print(notice.text, notice.hint))
        random = np.random.default_rng(0)
        recorder.begin(Path({str(tmp_path)!r}), Layout((64, 48), True), 0.0)
        for number in range(600):
            image = random.integers(0, 255, (48, 64, 3), np.uint8)
            recorder.add_frame(VideoFrame(image, number / 30, number), None)
            recorder.add_sound(AudioBlock(np.zeros(1600, np.float32), 48_000, number / 30))
        recorder.end(20.0)
        sys.exit(not recorder.join(60))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("The recording has ended: “")
    assert "File too large" in done.stdout
    assert "What was recorded before is in" in done.stdout
    (video,) = tmp_path.glob("*/*.mp4")
    times_s = []
    with av.open(str(video)) as file, suppress(av.error.InvalidDataError):  # the last is cut
        for frame in file.decode(video=0):
            times_s.append(frame.time)
    assert len(times_s) > 60
