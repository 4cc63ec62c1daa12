"""The thread's decisions, on a clock of the test; then the thread itself, briefly."""

import itertools
import threading

import numpy as np
import pytest

from fer_core.config import FERConfig
from fer_core.errors import UserError
from fer_core.media import HOP_SECONDS, SAMPLE_RATE, AudioBlock, Clip, VideoFrame
from fer_core.prediction import Prediction
from fer_desktop.live.inference_thread import (
    FAILURES_BEFORE_REST,
    LONGEST_WAIT_SECONDS,
    SETTLE_SECONDS,
    InferenceThread,
    Listeners,
    ModelState,
)
from fer_desktop.live.recent_media import RecentMedia

STATE = ModelState(FERConfig(), "cpu")
START = 100 * HOP_SECONDS


def answer(clip: Clip) -> Prediction:
    return Prediction(
        clip_end_s=clip.end_s,
        probabilities=np.full(8, 1 / 8, np.float32),
        segment_probabilities=np.full((8, 8), 1 / 8, np.float32),
        segment_weights=np.full(8, 1 / 8, np.float32),
        segment_audio=np.ones(8, bool),
        segment_video=np.ones(8, bool),
        uncertain=True,
        face=None,
        kept_patches=(),
        audio_level_dbfs=None,
        segment_speech=np.full(8, 0.0),
        took_ms=1.0,
    )


class ScriptedPredictor:
    """Answers, fails or sees nothing, as its script says; at its end it answers."""

    def __init__(self, *script: str) -> None:
        self.script = list(script)
        self.clips: list[Clip] = []
        self.resets = 0

    def predict(self, clip: Clip) -> Prediction | None:
        self.clips.append(clip)
        step = self.script.pop(0) if self.script else "answer"
        if step == "fail":
            raise RuntimeError("out of memory.\nlong explanation")
        return None if step == "nothing" else answer(clip)

    def reset(self) -> None:
        self.resets += 1


class Heard:
    """Records what the thread hands over."""

    def __init__(self) -> None:
        self.loaded, self.predicted, self.nothing, self.notices, self.cleared = [], [], [], [], []
        self.happened = threading.Event()
        self.listeners = Listeners(
            self._keep(self.loaded),
            self._keep(self.predicted),
            self._keep(self.nothing),
            self._keep(self.notices),
            self._keep(self.cleared),
        )

    def _keep(self, where: list) -> object:
        def keep(what: object, *_where: object) -> None:
            where.append(what)
            self.happened.set()

        return keep


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def recent() -> RecentMedia:
    recent = RecentMedia()
    recent.add_frame(VideoFrame(np.zeros((8, 8, 3), np.uint8), START, 0), None)
    return recent


@pytest.fixture
def thread(heard, recent) -> InferenceThread:
    thread = InferenceThread(lambda: (ScriptedPredictor(), STATE), heard.listeners)
    thread.watch(recent, START)
    return thread


def ends_of(heard: Heard) -> list[float]:
    return [prediction.clip_end_s for prediction in heard.predicted]


def test_a_clip_ends_at_a_whole_hop_once_its_last_frame_has_settled(thread, recent):
    hop = START + HOP_SECONDS
    assert thread.next_end(recent, hop) is None
    assert thread.next_end(recent, hop + SETTLE_SECONDS + 0.001) == hop


def test_a_clip_waits_for_its_sound_but_not_for_long(thread, recent):
    hop = START + HOP_SECONDS
    recent.add_audio(AudioBlock(np.zeros(1600, np.float32), SAMPLE_RATE, hop - 0.12))
    assert thread.next_end(recent, hop + SETTLE_SECONDS + 0.01) is None
    assert thread.next_end(recent, hop + LONGEST_WAIT_SECONDS + 0.001) == hop
    recent.add_audio(AudioBlock(np.zeros(1600, np.float32), SAMPLE_RATE, hop - 0.02))
    assert thread.next_end(recent, hop + SETTLE_SECONDS + 0.01) == hop


def test_the_same_clip_is_not_answered_twice(thread, recent):
    hop = START + HOP_SECONDS
    thread.step(ScriptedPredictor(), recent, hop)
    assert thread.next_end(recent, hop + 0.2) is None
    assert thread.next_end(recent, hop + HOP_SECONDS + 0.1) == hop + HOP_SECONDS


def test_ends_are_told_from_the_sessions_start(thread, recent, heard):
    thread.step(ScriptedPredictor(), recent, START + HOP_SECONDS)
    assert ends_of(heard) == [HOP_SECONDS]


def test_hops_that_pass_in_a_pause_were_skipped_by_nobody(thread, recent):
    predictor = ScriptedPredictor()
    thread.step(predictor, recent, START + HOP_SECONDS)
    thread.rest()
    thread.watch(recent, START)
    thread.step(predictor, recent, START + 9 * HOP_SECONDS)
    assert thread.clips_skipped == 0
    thread.step(predictor, recent, START + 11 * HOP_SECONDS)
    assert thread.clips_skipped == 1


def test_a_slow_network_gets_the_freshest_clip_and_skipped_hops_are_counted(thread, recent, heard):
    predictor = ScriptedPredictor()
    for now in (START + 0.4, START + 0.4 + 3 * HOP_SECONDS):
        thread.step(predictor, recent, thread.next_end(recent, now))
    assert ends_of(heard) == [HOP_SECONDS, 4 * HOP_SECONDS]
    assert thread.clips_skipped == 2


def test_neither_face_nor_sound_is_told_as_such(thread, recent, heard):
    thread.step(ScriptedPredictor("nothing"), recent, START + HOP_SECONDS)
    assert heard.nothing == [HOP_SECONDS]
    assert not heard.predicted


def test_one_failing_prediction_is_a_warning_and_the_next_clears_it(thread, recent, heard):
    predictor = ScriptedPredictor("fail")
    for hop in (1, 2):
        thread.step(predictor, recent, START + hop * HOP_SECONDS)
    assert [(n.severity, n.retry) for n in heard.notices] == [("warning", False)]
    assert "out of memory" in heard.notices[0].text
    assert "long explanation" not in heard.notices[0].text
    assert heard.cleared == ["inference"]
    assert ends_of(heard) == [2 * HOP_SECONDS]
    thread.step(predictor, recent, START + 3 * HOP_SECONDS)
    assert heard.cleared == ["inference"], "once"


def test_three_failures_in_a_row_are_an_error_with_retry(thread, recent, heard):
    predictor = ScriptedPredictor(*["fail"] * FAILURES_BEFORE_REST)
    for hop in range(1, FAILURES_BEFORE_REST + 1):
        thread.step(predictor, recent, START + hop * HOP_SECONDS)
    assert heard.notices[-1].severity == "error"
    assert heard.notices[-1].retry
    assert "Retry" in heard.notices[-1].hint


def test_an_answer_that_comes_after_pause_is_dropped(thread, recent, heard):
    thread.rest()
    thread.step(ScriptedPredictor(), recent, START + HOP_SECONDS)
    assert not heard.predicted


class Running:
    """The thread running for real, for the tests that need it; always stopped and joined."""

    def __init__(self, thread: InferenceThread, heard: Heard) -> None:
        self.thread, self.heard = thread, heard

    def __enter__(self) -> "Running":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.thread.stop()
        self.thread.join(5)
        assert not self.thread.is_alive()

    def wait_for(self, records: list, count: int = 1) -> None:
        while len(records) < count:
            self.heard.happened.clear()
            if len(records) >= count:
                return
            assert self.heard.happened.wait(5), f"{count} records did not come within 5 s"


def test_the_thread_loads_predicts_and_stops(heard):
    predictor, recent = ScriptedPredictor("nothing"), RecentMedia()
    thread = InferenceThread(lambda: (predictor, STATE), heard.listeners)
    with Running(thread, heard) as running:
        running.wait_for(heard.loaded)
        assert heard.loaded == [STATE]
        assert not predictor.clips, "nothing is predicted before a session"
        thread.watch(recent, 0.0)
        running.wait_for(heard.nothing)
        running.wait_for(heard.predicted)
    assert predictor.resets == 1


def test_a_new_session_tries_again_what_failed_in_the_one_before(heard):
    predictor = ScriptedPredictor(*["fail"] * FAILURES_BEFORE_REST)
    hops = itertools.count(100)  # each look at the clock finds the next hop
    thread = InferenceThread(
        lambda: (predictor, STATE), heard.listeners, lambda: next(hops) * HOP_SECONDS + 0.1
    )
    with Running(thread, heard) as running:
        thread.watch(RecentMedia(), 0.0)
        running.wait_for(heard.notices, FAILURES_BEFORE_REST)
        thread.watch(RecentMedia(), 0.0)
        running.wait_for(heard.predicted)


def test_what_cannot_be_loaded_is_tried_once_for_each_retry(heard):
    def load() -> tuple[ScriptedPredictor, ModelState]:
        raise UserError("No weights.")

    thread = InferenceThread(load, heard.listeners)
    with Running(thread, heard) as running:
        running.wait_for(heard.notices)
        thread.retry()
        running.wait_for(heard.notices, 2)
        heard.happened.clear()
        assert not heard.happened.wait(0.05)
        assert len(heard.notices) == 2


def test_unusable_weights_are_a_notice_and_retry_loads_again(heard):
    attempts = iter([UserError("The weights are damaged.", "Choose others."), None])

    def load() -> tuple[ScriptedPredictor, ModelState]:
        if error := next(attempts):
            raise error
        return ScriptedPredictor(), STATE

    thread = InferenceThread(load, heard.listeners)
    with Running(thread, heard) as running:
        running.wait_for(heard.notices)
        assert heard.notices[0].text == "The weights are damaged."
        assert heard.notices[0].retry
        thread.retry()
        running.wait_for(heard.loaded)
    assert "model" in heard.cleared


def test_an_unexpected_error_while_loading_is_a_notice_too(heard, caplog):
    def load() -> tuple[ScriptedPredictor, ModelState]:
        raise MemoryError("no room")

    with Running(InferenceThread(load, heard.listeners), heard) as running:
        running.wait_for(heard.notices)
    assert "no room" in heard.notices[0].text
    assert "no room" in caplog.text


def test_closing_while_the_model_cannot_be_loaded_ends_the_thread(heard):
    def load() -> tuple[ScriptedPredictor, ModelState]:
        raise UserError("No weights.")

    with Running(InferenceThread(load, heard.listeners), heard) as running:
        running.wait_for(heard.notices)
