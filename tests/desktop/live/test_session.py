"""Threads that start, are replaced, and end; what is late is never heard of."""

from __future__ import annotations

import json
import threading
import time

import numpy as np
import pytest

from fer_core.data.media_info import probe
from fer_core.errors import UserError
from fer_core.media import HOP_SECONDS, AudioBlock, VideoFrame
from fer_desktop.capture.devices import Found
from fer_desktop.live.session import LiveSession

pytestmark = pytest.mark.usefixtures("no_thread_stays")


class Told:
    """What the session says, in order."""

    def __init__(self, session: LiveSession) -> None:
        self.predicted, self.nothing, self.notices, self.cleared, self.models = [], [], [], [], []
        session.predicted.connect(self.predicted.append)
        session.nothing_present.connect(self.nothing.append)
        session.noticed.connect(self.notices.append)
        session.cleared.connect(self.cleared.append)
        session.model_loaded.connect(lambda state: self.models.append(state.config.name))


@pytest.fixture
def session(qapp, scripted):
    session = LiveSession(make_detector=scripted.Detector)
    yield session
    session.close()


@pytest.fixture
def told(session) -> Told:
    return Told(session)


@pytest.fixture
def predictor(session, scripted):
    predictor = scripted.Predictor()
    session.use_model(lambda: (predictor, scripted.state()))
    return predictor


def test_a_session_predicts_from_what_it_sees_and_hears(session, told, predictor, scripted, until):
    camera, microphone = scripted.Camera(), scripted.Microphone()
    session.start(camera, microphone)
    until(lambda: any(p.modalities == ("audio", "video") for p in told.predicted))
    session.stop()
    until(lambda: not camera.is_open and not microphone.is_open)


def test_another_camera_in_mid_session_disturbs_neither_clock_nor_sound(
    session, told, predictor, scripted, until
):
    one, two, microphone = scripted.Camera(), scripted.Camera(level=200), scripted.Microphone()
    session.start(one, microphone)
    until(lambda: told.predicted)
    origin = session.origin_s
    session.use_camera(two)
    until(lambda: session.recent.newest() is not None)
    assert session.recent.newest().frame.image[0, 0, 0] == 200
    before = len(predictor.clips)
    until(lambda: len(predictor.clips) > before + 1)
    clip = predictor.clips[-1]
    assert {f.image[0, 0, 0] for f in clip.frames if f is not None} == {200}, "no old pictures"
    assert session.origin_s == origin
    assert microphone.opened == 1
    ends = [p.clip_end_s for p in told.predicted]
    assert ends == sorted(set(ends)), "no clip twice, and the clock goes on"
    assert predictor.resets >= 2, "the new camera counts its frames anew"


def test_a_camera_that_is_taken_away_is_not_judged_any_more(
    session, told, predictor, scripted, until
):
    session.start(scripted.Camera(), scripted.Microphone())
    until(lambda: told.predicted)
    session.use_camera(None)
    before = len(predictor.clips)
    until(lambda: len(predictor.clips) > before + 1)
    assert all(frame is None for frame in predictor.clips[-1].frames)
    assert session.recent.newest() is None


def test_a_microphone_that_is_taken_away_leaves_no_sound(session, scripted, until):
    session.start(None, scripted.Microphone())
    until(lambda: session.recent.audio_until is not None)
    session.use_microphone(None)
    assert session.recent.audio_until is None


def test_a_face_that_was_chosen_is_not_sought_in_another_cameras_picture(session, scripted, until):
    session.start(scripted.Camera(), None)
    until(lambda: (seen := session.recent.newest()) is not None and seen.face is not None)
    assert session.lock_face(*session.recent.newest().face.centre) is not None
    assert session.tracker.locked
    session.use_camera(scripted.Camera())
    assert not session.tracker.locked


def test_a_recording_stands_still_in_a_pause_and_ends_with_the_session(
    session, scripted, until, tmp_path
):
    session.start(scripted.Camera(), None)
    until(lambda: session.recent.newest() is not None)
    assert session.origin_s % HOP_SECONDS == 0, (
        "as that of a recording: their segments are the same"
    )
    session.record(tmp_path)
    until(lambda: session.recorder.status(time.monotonic()).elapsed_s > 0.2)
    video = session.recorder.status(time.monotonic()).video
    session.pause()
    assert session.recorder.status(time.monotonic()).paused
    session.resume()
    assert not session.recorder.status(time.monotonic()).paused
    session.stop()
    assert session.recorder.status(time.monotonic()) is None
    assert session.recorder.join(10)
    height, width = session.recent.newest().frame.image.shape[:2]
    assert height != width
    assert probe(video).size == (width, height)


def test_a_prediction_on_its_way_when_the_session_ends_is_never_shown(
    session, told, predictor, scripted, until
):
    session.start(scripted.Camera(), None)
    until(lambda: predictor.clips)
    # The thread posts its answer while the GUI thread is busy; the session ends, another begins.
    deadline = time.monotonic() + 3
    told.predicted.clear()
    late = len(predictor.clips)
    while len(predictor.clips) < late + 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    session.stop()
    session.start(scripted.Camera(), None)
    until(lambda: told.predicted)
    assert told.predicted[0].clip_end_s <= session.now()
    assert told.predicted[0].clip_end_s < 0.76, "the first of the new session"


def test_an_answer_of_the_model_before_is_never_shown(session, told, scripted, until):
    old, new = scripted.Predictor(winner=1), scripted.Predictor(winner=5)
    session.use_model(lambda: (old, scripted.state("old")))
    session.start(scripted.Camera(), None)
    until(lambda: told.predicted)
    old.go_on.clear()
    seen = len(old.clips)
    until(lambda: len(old.clips) > seen)
    told.predicted.clear()
    session.use_model(lambda: (new, scripted.state("new")))
    old.go_on.set()
    until(lambda: len(told.predicted) >= 2)
    assert {p.emotion for p in told.predicted} == {"fearful"}
    assert told.models == ["old", "new"]


def test_a_model_that_loads_too_late_is_never_announced(session, told, scripted, until):
    slow = threading.Event()

    def load():
        slow.wait(10)
        return scripted.Predictor(), scripted.state("slow")

    session.use_model(load)
    session.use_model(lambda: (scripted.Predictor(), scripted.state("quick")))
    until(lambda: told.models)
    slow.set()
    (late,) = (thread for thread in session._leaving._threads if thread.name == "inference")
    late.join(5)
    until(lambda: not late.is_alive())
    assert told.models == ["quick"]


def test_a_model_that_fails_while_the_program_closes_holds_nothing_up(qapp, scripted):
    session = LiveSession(make_detector=scripted.Detector)
    loading, may_fail = threading.Event(), threading.Event()

    def load():
        loading.set()
        may_fail.wait(10)
        raise UserError("The weights are damaged.")

    session.use_model(load)
    assert loading.wait(5)
    threading.Timer(0.2, may_fail.set).start()
    begun = time.monotonic()
    session.close()
    assert time.monotonic() - begun < 1.5


def test_pauses_do_not_count_as_skipped_clips(session, told, predictor, scripted, until, qtbot):
    session.start(scripted.Camera(), None)
    until(lambda: told.predicted)
    session.pause()
    qtbot.wait(900)
    before = len(told.predicted)
    qtbot.wait(100)
    assert len(told.predicted) == before
    session.resume()
    until(lambda: len(told.predicted) > before + 1)
    assert session.clips_skipped <= 1  # a busy machine may skip one, a pause would skip two more


def test_skipped_clips_are_counted_over_a_change_of_model(session, told, scripted, until):
    slow = scripted.Predictor()
    session.use_model(lambda: (slow, scripted.state()))
    session.start(scripted.Camera(), None)
    until(lambda: told.predicted)
    slow.go_on.clear()
    seen = len(slow.clips)
    until(lambda: len(slow.clips) > seen)
    time.sleep(1.2)
    slow.go_on.set()
    until(lambda: session.clips_skipped >= 2)
    skipped = session.clips_skipped
    session.use_model(lambda: (scripted.Predictor(), scripted.state()))
    assert session.clips_skipped >= skipped
    session.start(scripted.Camera(), None)
    assert session.clips_skipped == 0


def test_three_failures_are_told_and_a_retry_that_works_takes_it_back(
    session, told, predictor, scripted, until
):
    predictor.does = "fail"
    session.start(scripted.Camera(), None)
    until(lambda: any(n.retry for n in told.notices))
    predictor.does = "answer"
    session.retry("inference")
    until(lambda: told.predicted)
    assert told.cleared[-1] == "inference"


def test_microphones_are_looked_for_on_a_thread(session, until):
    may_answer, found = threading.Event(), []
    session.microphones_found.connect(found.append)

    def find() -> Found:
        may_answer.wait(10)
        return Found((), "none")

    session.find_microphones(find)
    session.find_microphones(lambda: pytest.fail("one search at a time"))
    assert session.searching
    may_answer.set()
    until(lambda: found)
    assert not session.searching


def test_closing_does_not_wait_for_a_driver_that_never_answers(qapp, scripted):
    stuck = threading.Event()

    class Stuck(scripted.Camera):
        def open(self) -> None:
            stuck.wait(10)

    session = LiveSession(make_detector=scripted.Detector)
    session.start(Stuck(), scripted.Microphone())
    begun = time.monotonic()
    session.close()
    assert time.monotonic() - begun < 2.6
    stuck.set()


def test_a_recording_has_picture_sound_and_results_in_step(
    session, told, predictor, scripted, until, tmp_path, recorded
):
    """A flash and a beep once a second, through the real threads."""

    class Flashing(scripted.Camera):
        def read(self):
            frame = super().read()
            bright = frame.time_s % 1 < 0.3
            return VideoFrame(frame.image * 0 + (250 if bright else 20), frame.time_s, frame.index)

    class Beeping(scripted.Microphone):
        heard = 0

        def open(self):
            super().open()
            self.heard = int(time.monotonic() * 16_000)

        def read(self, timeout_s):
            while self.heard + 320 > time.monotonic() * 16_000:
                time.sleep(0.005)
            t = (self.heard + np.arange(320)) / 16_000
            block = AudioBlock(
                (0.5 * np.sin(2763 * t + 1) * (t % 1 < 0.3)).astype(np.float32), 16_000, t[0]
            )
            self.heard += 320
            return block

    session.start(Flashing(), Beeping())
    until(lambda: session.recent.newest() and session.recent.audio_until)
    session.record(tmp_path)
    until(lambda: session.recorder.status(time.monotonic()).elapsed_s > 3.5)
    video = session.recorder.status(time.monotonic()).video
    session.stop()
    assert session.recorder.join(60)
    until(lambda: any(n.key == "recording" for n in told.notices))
    file = recorded(video)
    flashes, beeps = file.flashes_s(), file.beeps_s()
    assert len(flashes) >= 3
    for flash in flashes[:3]:  # the sound of one just before the end may not be there yet
        assert min(abs(flash - beep) for beep in beeps) < 0.03
    lines = [json.loads(line) for line in video.with_suffix(".jsonl").read_text().splitlines()]
    ends = [line["end_s"] for line in lines if "segments" in line]
    assert len(ends) >= 5
    assert all(end_s % 0.375 == 0 for end_s in ends)
    assert session.recorder.status(time.monotonic()) is None


def test_nothing_can_be_recorded_before_anything_was_seen_or_heard(session, tmp_path):
    with pytest.raises(ValueError, match="neither picture nor sound"):
        session.record(tmp_path)
