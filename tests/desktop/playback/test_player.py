"""The real player on small films whose pictures carry their number."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import pytest
from PySide6.QtCore import QTimer

from fer_desktop.errors import Notice
from fer_desktop.playback.pictures import Picture
from fer_desktop.playback.player import Player

# Without pytest-qt's log: a handler in Python of what Qt Multimedia's threads say is a deadlock.
pytestmark = [pytest.mark.usefixtures("no_thread_stays"), pytest.mark.no_qt_log]


class Seat:
    """Watches a player: its pictures in the order in which they came, and its notices."""

    def __init__(self, until: Callable[..., None], number_on: Callable[..., int]) -> None:
        self.player = Player()
        self.pictures: list[Picture] = []
        self.notices: list[Notice] = []
        self.player.noticed.connect(self.notices.append)
        self._until = until
        self._number_on = number_on
        self._timer = QTimer(interval=4)
        self._timer.timeout.connect(self._poll)
        self._timer.start()

    def _poll(self) -> None:
        picture = self.player.poll()
        if picture is not None:
            self.pictures.append(picture)

    @property
    def number(self) -> int | None:
        """Of the picture shown."""
        return self._number_on(self.pictures[-1].image) if self.pictures else None

    def open(self, path: Path, play: bool = False) -> None:
        self.player.open(path)
        self.player._play_once_open = play
        self.until(lambda: self.pictures or self.notices)

    def until(self, condition: Callable[[], object]) -> None:
        self._until(condition, within_s=30)

    def leave(self) -> None:
        self._timer.stop()
        self.player.shut_down()
        self.until(lambda: not self.player._media.busy)


@pytest.fixture
def seat(qtbot, until, number_on) -> Iterator[Seat]:
    seat = Seat(until, number_on)
    yield seat
    seat.leave()


FILES = [
    ("film.mp4", {"sound": "aac"}, 0),
    ("film.mkv", {"sound": "aac"}, 0),  # Qt counts from the encoder's own sound, 21 ms earlier
    ("silent.mp4", {}, 0),
    ("program.mpg", {"codec": "mpeg2video", "gop": 15, "sound": "mp2"}, 0.010),
    ("transport.ts", {"options": {"sc_threshold": "0"}, "sound": "aac"}, 0.021),
]


@pytest.mark.parametrize(("name", "how", "first_s"), FILES, ids=[name for name, *_ in FILES])
def test_a_seek_shows_the_picture_of_that_time_in_any_container(
    seat, write_film, name, how, first_s
):
    seat.open(write_film(f"seek-{name}", **how))
    for time_s in (1.0, 2.5, 0.5, 1.99, 0.0, 2.7):
        wanted = max(int((time_s - first_s) * 25 + 1e-6), 0)
        seat.player.seek(time_s)
        seat.until(lambda wanted=wanted: seat.number == wanted)
        assert seat.player.position_s == pytest.approx(time_s, abs=0.03)


@pytest.mark.parametrize(("name", "how", "first_s"), FILES, ids=[name for name, *_ in FILES])
def test_steps_go_from_picture_to_picture_there_and_back(seat, write_film, name, how, first_s):
    seat.open(write_film(f"seek-{name}", **how))
    seat.player.seek(1.01 + first_s)
    seat.until(lambda: seat.number == 25)
    for step, number in ((1, 26), (1, 27), (-1, 26), (-1, 25), (-1, 24), (1, 25)):
        seat.player.step(step)
        seat.until(lambda number=number: seat.number == number)
        seat.until(lambda number=number: seat.player.position_s == pytest.approx(
            first_s + number / 25, abs=0.002))  # fmt: skip


def test_keys_pressed_faster_than_pictures_come_are_not_lost(seat, write_film):
    seat.open(write_film())
    seat.player.seek(1.0)
    for _ in range(3):
        seat.player.step(1)
    seat.until(lambda: seat.number == 28)


def test_a_step_in_a_film_without_a_steady_rate_goes_to_the_next_picture(seat, write_film):
    seat.open(write_film("odd.mkv", times=[0.0, 0.04, 0.5, 0.52, 1.9, 2.0]))
    for number, time_s in ((1, 0.04), (2, 0.5), (3, 0.52), (4, 1.9)):
        seat.player.step(1)
        seat.until(lambda number=number: seat.number == number)
        assert seat.player.position_s == pytest.approx(time_s, abs=0.002)
    seat.player.step(-1)
    seat.until(lambda: seat.number == 3)


def test_there_is_nothing_before_the_first_and_after_the_last_picture(seat, write_film):
    seat.open(write_film())
    seat.player.step(-1)
    assert seat.number == 0
    seat.player.seek(3.0)
    seat.until(lambda: seat.number == 74)
    seat.player.step(1)
    assert seat.number == 74


def test_it_plays_in_order_to_the_end_and_from_the_beginning_again(seat, write_film):
    seat.open(write_film(), play=True)
    seat.player.set_rate(2)
    seat.until(lambda: seat.player.position_s == 3.0 and not seat.player.playing)
    times = [picture.start_s for picture in seat.pictures]
    assert times == sorted(times)
    assert len(times) > 10
    seat.player.play()
    seat.until(lambda: 0 < seat.player.position_s < 2)
    assert seat.player.playing


def test_after_the_end_a_seek_shows_its_picture_and_stays(seat, write_film):
    seat.open(write_film(), play=True)
    seat.player.set_rate(4)
    seat.until(lambda: seat.player.position_s == 3.0)
    seat.player.seek(1.0)
    seat.until(lambda: seat.number == 25)
    assert not seat.player.playing


def test_the_playhead_stands_where_the_picture_is(seat, write_film):
    seat.open(write_film(), play=True)
    seat.until(lambda: seat.player.position_s > 0.5)
    seat.player.pause()
    seat.until(lambda: seat.number == round(seat.player.position_s * 25))


@pytest.mark.parametrize("rate", [0.25, 4.0])
def test_slow_and_fast_take_their_time(seat, write_film, rate):
    seat.open(write_film("long.mp4", seconds=12, sound="aac"))
    seat.player.set_rate(rate)
    assert seat.player.rate == rate
    seat.player.play()
    seat.until(lambda: seat.player.position_s > 0)
    began, from_s = time.monotonic(), seat.player.position_s
    seat.until(lambda: time.monotonic() - began > 1.5)
    passed = seat.player.position_s - from_s
    assert passed == pytest.approx(rate * (time.monotonic() - began), rel=0.4)


def test_rates_beyond_the_limits_are_the_limits(seat):
    for asked, used in ((0.1, 0.25), (9, 4)):
        seat.player.set_rate(asked)
        assert seat.player.rate == used


def test_a_loop_stays_in_the_selection(seat, write_film):
    seat.open(write_film("long.mp4", seconds=12, sound="aac"))
    seat.player.set_selection((1.0, 1.4))
    seat.player.set_looping(True)
    seat.player.seek(1.2)
    seat.until(lambda: seat.number == 30)
    seat.pictures.clear()
    seat.player.play()
    seat.until(lambda: sum(b.start_s < a.start_s for a, b in
                           zip(seat.pictures, seat.pictures[1:], strict=False)) >= 3)  # fmt: skip
    assert min(picture.start_s for picture in seat.pictures) == pytest.approx(1.0, abs=0.05)
    assert max(picture.start_s for picture in seat.pictures) < 1.4 + 0.3


def test_without_a_selection_the_loop_is_the_file(seat, write_film):
    seat.open(write_film(), play=True)
    seat.player.set_looping(True)
    seat.player.set_rate(4)
    seat.until(lambda: any(b.start_s < a.start_s for a, b in
                           zip(seat.pictures, seat.pictures[1:], strict=False)))  # fmt: skip
    assert seat.player.playing


def test_several_sound_tracks_can_be_chosen(seat, write_film):
    seat.open(write_film("two.mkv", sound="aac", tracks=2), play=True)
    sound = seat.player.sound
    seat.until(lambda: len(sound.tracks) == 2)
    assert (sound.tracks, sound.track) == (("Sound 1", "Sound 2"), 0)
    sound.choose_track(1)
    seat.until(lambda: sound.track == 1)
    sound.choose_track(7)
    assert sound.track == 1
    from_s = seat.player.position_s
    seat.until(lambda: seat.player.position_s > from_s + 0.2)


def test_volume_and_silence_are_kept_over_files(seat, write_film):
    sound = seat.player.sound
    sound.set_volume(0.4)
    sound.set_muted(True)
    seat.open(write_film())
    assert sound.volume == pytest.approx(0.4, abs=0.01)
    assert sound.muted
    sound.set_volume(0.5)
    assert not sound.muted, "who turns the volume up wants to hear"


def test_sound_alone_plays_to_its_end_and_is_sought(seat, write_film, until):
    path = write_film("tone.mp3", codec=None, sound="mp3", seconds=2)
    infos = []
    seat.player.opened.connect(infos.append)
    seat.player.open(path)
    until(lambda: seat.player.playing)
    assert infos[0].has_picture is False
    seat.player.set_rate(4)
    seat.until(lambda: not seat.player.playing)
    assert seat.player.position_s == seat.player.duration_s == pytest.approx(2, abs=0.1)
    seat.player.seek(0.5)
    assert seat.player.position_s == 0.5
    seat.player.step(1)
    assert seat.player.position_s == pytest.approx(0.54)
    seat.player.play()
    seat.until(lambda: seat.player.position_s > 0.8)
    assert not seat.pictures


def turned_film(film: Path, to: Path) -> Path:
    """A quarter turn in the header, as phones write it."""
    data = bytearray(film.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 4 + 20 + 16
    for place, value in enumerate((0, 1 << 16, 0, -(1 << 16), 0, 0, 64 << 16, 0, 1 << 30)):
        data[matrix + 4 * place : matrix + 4 * place + 4] = value.to_bytes(4, "big", signed=True)
    to.write_bytes(data)
    return to


def test_a_picture_that_was_filmed_upright_is_shown_upright(seat, write_film, tmp_path):
    seat.open(turned_film(write_film("silent.mp4"), tmp_path / "turned.mp4"))
    assert seat.player.info.size == (64, 176)
    seat.player.seek(1.0)
    seat.until(lambda: seat.pictures[-1].start_s == pytest.approx(1.0))
    image = seat.pictures[-1].image
    assert (image.width(), image.height()) == (64, 176)
    # 25 is the bars 0, 3 and 4 of 9; turned clockwise the first one is on top.
    bright = [image.pixelColor(32, (2 * bar + 1) * 176 // 18).lightness() > 128 for bar in range(9)]
    assert [bar for bar in range(9) if bright[bar]] == [0, 3, 4]


@pytest.mark.skipif("libsvtav1" not in av.codecs_available, reason="FFmpeg cannot write AV1 here")
def test_what_qt_cannot_decode_is_read_and_told_once(seat, write_film):
    options = {"preset": "12", "svtav1-params": "rc=0"}
    # SVT-AV1 gives the thread that asks it a real-time priority where it may, as root, and leaves
    # it there: the rest of the tests, and all that they start, would run before the system itself.
    with ThreadPoolExecutor(1) as apart:
        film = apart.submit(write_film, "film.webm", codec="libsvtav1", options=options).result()
    seat.open(film)
    if not seat.player._blind and seat.number == 0 and not seat.notices:
        seat.player.seek(1.0)
        seat.until(lambda: seat.number == 25 or seat.notices)
    if not seat.notices:
        pytest.skip("Qt decodes AV1 on this machine")
    for time_s, number in ((1.0, 25), (2.0, 50), (0.2, 5)):
        seat.player.seek(time_s)
        seat.until(lambda number=number: seat.number == number)
    seat.player.step(1)
    seat.until(lambda: seat.number == 6)
    assert [notice.key for notice in seat.notices] == ["playback"]
    assert "analysed all the same" in seat.notices[0].hint


@pytest.mark.parametrize("what", ["gone", "empty", "text", "cut", "locked", "folder"])
def test_what_cannot_be_opened_is_one_notice(seat, write_film, tmp_path, what):
    path = tmp_path / "bad.mp4"
    if what == "empty":
        path.touch()
    elif what == "text":
        path.write_text("not a film\n" * 99)
    elif what == "cut":
        path.write_bytes(write_film().read_bytes()[:2000])
    elif what == "folder":
        path.mkdir()
    elif what == "locked":
        if os.geteuid() == 0:
            pytest.skip("root may read everything")
        path.write_bytes(write_film().read_bytes())
        path.chmod(0)
    seat.player.open(path)
    seat.until(lambda: seat.notices)
    (notice,) = seat.notices
    assert notice.key == "file"
    assert str(path) in notice.text
    assert notice.hint
    assert notice.retry
    assert seat.player.info is None
    seat.player.play()
    seat.player.seek(1.0)
    seat.player.step(1)
    assert not seat.player.playing


def test_a_file_damaged_in_the_middle_plays_on_behind_the_damage(seat, write_film, tmp_path):
    whole = write_film("short-groups.mkv", sound="aac", gop=10).read_bytes()
    path = tmp_path / "damaged.mkv"
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes(1500) + whole[middle + 1500 :])
    seat.open(path, play=True)
    seat.until(lambda: not seat.player.playing)
    assert seat.pictures[-1].start_s > 2.5


def test_a_file_that_was_cut_off_ends_where_its_data_do_and_plays_again(seat, cut_film):
    seat.open(cut_film, play=True)
    seat.player.set_rate(4)
    seat.until(lambda: seat.player.playing)
    seat.until(lambda: not seat.player.playing)
    assert 3 < seat.player.position_s < 5.5 < seat.player.duration_s
    assert not seat.notices
    seat.player.play()
    seat.until(lambda: 0 < seat.player.position_s < 3)
    seat.player.set_looping(True)
    seat.until(lambda: seat.player.position_s > 3)
    seat.until(lambda: seat.player.position_s < 1)
    assert seat.player.playing


def test_a_file_that_vanishes_while_it_is_open_does_no_harm(seat, write_film, tmp_path):
    path = tmp_path / "here.mp4"
    path.write_bytes(write_film().read_bytes())
    seat.open(path)
    path.unlink()
    seat.player.seek(1.0)
    seat.until(lambda: seat.number == 25 or seat.notices)


def test_another_file_takes_the_place_at_once(seat, write_film):
    seat.open(write_film("long.mp4", seconds=12, sound="aac"), play=True)
    seat.player.open(write_film("film.mkv"))
    seat.player.open(write_film())
    seat.player._play_once_open = False
    seat.until(lambda: seat.player.info is not None and seat.player.duration_s == 3.0)
    seat.player.seek(2.0)
    seat.until(lambda: seat.number == 50)
    assert seat.player.path.name == "film.mp4"
    assert not seat.notices


@pytest.mark.parametrize("name", ["01-01-01-01-02-01-05.mp4", "cremad_sad.mp4", "grid_bbaf2n.mpg"])
def test_seeks_in_real_recordings_show_the_picture_of_that_time(seat, name, real_clips):
    seat.open(real_clips / name)
    last_s = seat.player.duration_s - 0.1
    for time_s in (0.7 * last_s, 0.2 * last_s, last_s, 0.0, 0.55 * last_s):
        seat.player.seek(time_s)
        before = len(seat.pictures)
        seat.until(
            lambda time_s=time_s, before=before: (
                len(seat.pictures) > before
                or seat.pictures[-1].start_s <= time_s < seat.pictures[-1].start_s + 0.05
            )
        )
        assert time_s - 0.05 < seat.pictures[-1].start_s <= time_s + 0.001
