"""Between the window's file page, the player and the analysis beside it.

Runs on the GUI thread. Pictures are polled, segments arrive as queued signals; nothing here waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer

from fer_core.analysis.timeline import Segment, Timeline
from fer_core.data.media_info import MediaInfo
from fer_desktop.errors import Notice
from fer_desktop.faces_presenter import FacesPresenter, first_seen
from fer_desktop.findings_presenter import FindingsPresenter
from fer_desktop.live.model import open_file_model
from fer_desktop.playback.analysis_worker import AnalysisWorker
from fer_desktop.playback.kept_timelines import KeptTimelines
from fer_desktop.playback.known_answers import known_answers
from fer_desktop.playback.left_place import LeftPlace
from fer_desktop.playback.player import FASTEST, SLOWEST, Player
from fer_desktop.playback.recent_files import RecentFiles
from fer_desktop.playback.results import Results
from fer_desktop.settings import Settings
from fer_desktop.ui.main_window import MainWindow
from fer_desktop.ui.transport import SPEEDS

POLL_MS = 16
TIMELINE_MS = 50  # the playhead on the timeline need not move more often
LONG_SECONDS, SHORT_SECONDS = 5.0, 1.0  # of the arrow keys
LOUDER = 0.1
KEYS = ("file", "playback", "analysis", "markers")  # of the notices about a file


class FilePresenter(QObject):
    """One file at a time: shows how it plays and what is found in it."""

    def __init__(
        self, window: MainWindow, recent: RecentFiles, analysed: Mapping[Path, Path]
    ) -> None:
        """``analysed``: files that were analysed elsewhere, and the JSON of each."""
        super().__init__(window)
        self.window = window
        self.page = window.file_page
        self.player = Player(self)
        self._place = LeftPlace(self.player, recent)
        self.results = Results()
        self.worker = AnalysisWorker(self._model_loader(window.settings), self)
        self.timeline: Timeline | None = None  # once all is analysed
        self._recent = recent
        self._settings = window.settings
        self._cancelled = self._failed = False
        self._analysed = analysed
        self._kept = KeptTimelines()  # of the largest face, by the model and device of now
        self._anew = False  # also where the answers are known
        self._known = ""  # whence those that are shown were known; empty: of this analysis
        # To be analysed when its page is shown again: anew, or else unless the answers are known.
        self._due: bool | None = None
        self._stamp: tuple[int, int] | None = None  # of the file, which may change
        self._drawn: tuple[int, float] | None = None  # results known, end of the one shown
        self._poll_timer = QTimer(self, interval=POLL_MS, timerType=Qt.TimerType.PreciseTimer)
        self._poll_timer.timeout.connect(self.poll)
        self._playhead_timer = QTimer(self, interval=TIMELINE_MS)
        self._playhead_timer.timeout.connect(self._move_playhead)
        self.faces = FacesPresenter(self.page.analysis, self.worker, self)
        self._connect_views()
        self.findings = FindingsPresenter(
            self.page,
            self.worker,
            self.results,
            lambda: self.player.position_s,
            window.notices.show_notice,
            parent=self,
        )
        self._connect_actions()

    # Files

    def open(self, path: Path) -> None:
        """Show the page of ``path``, play it and analyse it."""
        window = self.window
        path = path.absolute()
        window.show_page("file", path.name)
        before, self._stamp = self._stamp, _stamp_of(path)
        same = path == self.player.path and before == self._stamp
        if same and self.player.info is not None:
            self._come_back()
            return
        self._clear_notices()
        self._place.keep()
        self.worker.dismiss()
        self.faces.open(has_picture=False)  # until that is known
        self.results.clear()
        self.timeline, self._drawn = None, None
        self._cancelled = self._failed = False
        self._due = None
        self.page.forget()
        self.findings.forget()
        window.command("export").setEnabled(False)
        self.player.open(path)
        self._poll_timer.start()
        self._playhead_timer.start()

    def leave(self) -> None:
        """Back to the session's page; the file waits as it is."""
        self.player.pause()
        self.worker.cancel()
        for timer in (self._poll_timer, self._playhead_timer):
            timer.stop()
        self._clear_notices()
        self.window.remember_volume(self.player.sound.volume)
        self.window.show_page("live")

    def close(self) -> None:
        """At the program's end."""
        for timer in (self._poll_timer, self._playhead_timer):
            timer.stop()
        self.window.remember_volume(self.player.sound.volume)
        self._place.keep()
        self.player.shut_down()
        self.worker.stop()
        self.findings.close()

    def _come_back(self) -> None:
        if self._due is not None:
            self._analyse(anew=self._due)
        elif not self._cancelled:
            self.worker.resume()
        self.window.command("export").setEnabled(self.timeline is not None)
        self._show_player()
        self._poll_timer.start()
        self._playhead_timer.start()

    def _clear_notices(self) -> None:
        for key in KEYS:
            self.window.notices.clear(key)

    def _on_opened(self, info: MediaInfo) -> None:
        path = self.player.path
        assert path is not None
        self._place.find()
        self._recent.add(path)
        self.page.transport.set_duration(info.duration_s)
        self.page.timeline.set_duration(info.duration_s)
        if not info.has_picture:
            self.page.show_sound_only()
        self._show_player()
        self.faces.open(info.has_picture)
        self.findings.open(path, info.has_picture)
        if self.window.page == "file":
            self._analyse()
        else:  # people went back to the session meanwhile
            self._due = False

    def _on_notice(self, notice: Notice) -> None:
        self.window.notices.show_notice(notice)
        path = self.player.path
        if notice.key != "file" or self.player.info is not None or path is None:
            return
        self.page.video.show_message("This file cannot be opened")
        self.page.show_no_results("Nothing to show", "The notice above says why.")
        self.page.analysis.show_failed()
        if not path.exists():
            self._recent.remove(path)

    # What is found in it

    def _model_loader(self, settings: Settings) -> Callable[[], Any]:
        return partial(open_file_model, settings.model_folder, settings.device)

    def _analyse(self, anew: bool = False) -> None:
        """From the beginning; ``anew``: even if the answers are known."""
        path = self.player.path
        if path is None:
            return
        self._due = None
        self.window.notices.clear("analysis")  # of the one before
        self.window.command("export").setEnabled(False)
        self.results.clear()
        self.timeline, self._drawn = None, None
        self._cancelled = self._failed = False
        self.page.timeline.clear()
        self.page.timeline.set_duration(self.player.duration_s)
        self.page.analysis.show_preparing()
        self._anew, self._known = anew, ""
        self.faces.forget()
        known = partial(known_answers, path, self._kept.of(path) or self._analysed.get(path))
        self.worker.start(path, (lambda: None) if anew else known, self.faces.faces)

    def _on_known(self, whence: str) -> None:
        self._known = whence

    def _on_segments(self, segments: tuple[Segment, ...]) -> None:
        self.results.add(segments)
        self.page.timeline.add_segments(segments)

    def _on_progress(self, done_s: float, duration_s: float, left_s: float) -> None:
        if not self._cancelled:
            self.page.analysis.show_progress(done_s, duration_s, left_s)

    def _on_finished(self, timeline: Timeline) -> None:
        self.timeline = timeline
        if timeline.source.duration_s < self.player.duration_s:
            self._shorten(timeline.source.duration_s)
        if self._known:
            self.page.analysis.show_known(self._known)
        else:
            self.page.analysis.show_finished(len(timeline.warnings))
            if self.faces.faces == "largest" and self.player.path is not None:
                self._kept.keep(self.player.path, timeline)
        self.window.command("export").setEnabled(self.window.page == "file")
        if timeline.warnings:
            text = " ".join(timeline.warnings[:3])
            more = len(timeline.warnings) - 3
            hint = f"And {more} more, in every export." if more > 0 else ""
            self.window.notices.show_notice(Notice("analysis", text, hint, severity="warning"))

    def _shorten(self, duration_s: float) -> None:
        """To what was found of a file that was cut off."""
        self.player.shorten(duration_s)
        self.page.transport.set_duration(duration_s)
        self.page.timeline.set_duration(duration_s)

    def _show_face(self, timeline: Timeline) -> None:
        """Of the face chosen; where it is not to be seen now, from its coming on."""
        self.timeline, self._drawn = timeline, None
        self.results.clear()
        self.results.add(timeline.segments)
        self.page.timeline.set_segments(timeline.segments)
        self.findings.show(timeline)
        now, first = self.results.at(self.player.position_s), first_seen(timeline)
        if first is not None and (now is None or not now.seen):
            self.player.seek(first.start_s)

    def _on_failed(self, notice: Notice) -> None:
        self._failed, self._drawn = True, None  # why there is nothing is told anew
        self.page.analysis.show_failed()
        self.window.notices.show_notice(notice)

    def _cancel_or_go_on(self) -> None:
        if self.window.page != "file" or self.player.info is None:
            return
        if self._known and self.timeline is not None:
            self._analyse(anew=True)
            return
        if self.timeline is not None or self._failed:
            return
        self._cancelled, self._drawn = not self._cancelled, None
        if self._cancelled:
            self.worker.cancel()
            self.page.analysis.show_cancelled()
        else:
            self.worker.resume()
            self.page.analysis.show_preparing()

    # How it plays

    def poll(self) -> None:
        """The picture, the place and what was found there."""
        player, page = self.player, self.page
        picture = player.poll()
        if player.info is None:
            return
        self._place.go_on()
        if picture is not None and player.info.size is not None:
            page.video.show_image(picture.image, player.info.size)
        time_s = player.position_s
        page.transport.show_position(time_s)
        now = self.results.at(time_s)
        drawn = (len(self.results), -1.0 if now is None else now.end_s)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        if now is not None:
            page.show_results(self.results.window(time_s))
        else:
            page.show_no_results(*self._why_nothing())

    def _why_nothing(self) -> tuple[str, str]:
        if self._failed:
            return "No results", "The notice above says why."
        if self._cancelled:
            return "Not analysed", "Continue the analysis with C."
        if self.faces.faces == "all":
            return "Analysing…", "What each face shows is told at the end."
        return "Analysing…", "It has not come this far yet."

    def _move_playhead(self) -> None:
        if self.player.info is not None:
            self.page.timeline.set_playhead(self.player.position_s)

    def _show_player(self) -> None:
        player, transport = self.player, self.page.transport
        transport.show_playing(player.playing, player.rate, player.looping)

    def _show_sound(self) -> None:
        sound, transport = self.player.sound, self.page.transport
        transport.show_volume(sound.volume, sound.muted)
        transport.show_sound(sound.tracks, sound.track)

    # What people do

    def _connect_views(self) -> None:
        player, page, window = self.player, self.page, self.window
        player.opened.connect(self._on_opened)
        player.noticed.connect(self._on_notice)
        player.changed.connect(self._show_player)
        player.sound.changed.connect(self._show_sound)
        self.worker.known.connect(self._on_known)
        self.worker.segments.connect(self._on_segments)
        self.worker.progress.connect(self._on_progress)
        self.worker.finished.connect(self._on_finished)
        self.worker.failed.connect(self._on_failed)
        self.faces.analysis_wanted.connect(partial(self._analyse, anew=True))
        self.faces.timeline_chosen.connect(self._show_face)
        for view in (page.transport, page.timeline, page.peaks, page.markers):
            view.seek_requested.connect(player.seek)
        page.transport.rate_picked.connect(player.set_rate)
        page.transport.volume_picked.connect(player.sound.set_volume)
        page.transport.sound_track_picked.connect(player.sound.choose_track)
        page.timeline.selection_changed.connect(self._on_selection)
        page.video.clicked.connect(lambda *_: self._toggle())
        window.retry_requested.connect(self._retry)
        window.live_requested.connect(self.leave)
        window.settings_changed.connect(self._on_settings)
        player.sound.set_volume(window.settings.volume)
        self._show_sound()

    def _connect_actions(self) -> None:
        player = self.player
        does: dict[str, Callable[[], Any]] = {
            "play": self._toggle,
            "step_back": partial(player.step, -1),
            "step_on": partial(player.step, 1),
            "back": partial(self._move, -LONG_SECONDS),
            "on": partial(self._move, LONG_SECONDS),
            "back_a_little": partial(self._move, -SHORT_SECONDS),
            "on_a_little": partial(self._move, SHORT_SECONDS),
            "beginning": partial(player.seek, 0.0),
            "end": lambda: player.seek(player.duration_s),
            "slower": partial(self._change_speed, -1),
            "faster": partial(self._change_speed, 1),
            "normal_speed": partial(player.set_rate, 1.0),
            "set_in": self._set_in,
            "set_out": self._set_out,
            "loop": lambda: player.set_looping(not player.looping),
            "clear_selection": partial(self.page.timeline.set_selection, None),
            "louder": partial(self._change_volume, LOUDER),
            "quieter": partial(self._change_volume, -LOUDER),
            "mute": lambda: player.sound.set_muted(not player.sound.muted),
            "sound_track": self._next_sound_track,
            "zoom_in": self.page.timeline.zoom_in,
            "zoom_out": self.page.timeline.zoom_out,
            "fit": self.page.timeline.fit,
            "page_back": partial(self.page.timeline.turn_page, -1),
            "page_on": partial(self.page.timeline.turn_page, 1),
            "mark": self._mark,
            "analysis": self._cancel_or_go_on,
            "export": partial(self.findings.export, self.window),
        }
        for name, do in does.items():
            action = self.window.command(name)
            action.triggered.connect(lambda _checked=False, do=do: do())

    def _toggle(self) -> None:
        if self.player.playing:
            self.player.pause()
        else:
            self.player.play()

    def _move(self, seconds: float) -> None:
        self.player.seek(self.player.position_s + seconds)

    def _change_speed(self, steps: int) -> None:
        nearest = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - self.player.rate))
        place = min(max(nearest + steps, 0), len(SPEEDS) - 1)
        self.player.set_rate(min(max(SPEEDS[place], SLOWEST), FASTEST))

    def _change_volume(self, by: float) -> None:
        self.player.sound.set_volume(self.player.sound.volume + by)

    def _next_sound_track(self) -> None:
        sound = self.player.sound
        if sound.tracks:
            sound.choose_track((sound.track + 1) % len(sound.tracks))

    def _mark(self) -> None:
        if self.player.info is not None:
            self.page.show_markers()
            self.findings.mark()

    def _set_in(self) -> None:
        """From here to where the selection ended, else to the file's end."""
        here, before = self.player.position_s, self.player.selection
        end_s = before[1] if before is not None and before[1] > here else self.player.duration_s
        self.page.timeline.set_selection(here, end_s)

    def _set_out(self) -> None:
        """From where the selection began, else from the file's beginning, to here."""
        here, before = self.player.position_s, self.player.selection
        start_s = before[0] if before is not None and before[0] < here else 0.0
        self.page.timeline.set_selection(start_s, here)

    def _on_selection(self, selection: tuple[float, float] | None) -> None:
        self.player.set_selection(selection)
        self.page.transport.show_selection(selection)

    def _retry(self, key: str) -> None:
        path = self.player.path
        if self.window.page != "file" or path is None:
            return
        if key == "file":
            self.open(path)
        elif key == "analysis":
            self._analyse(self._anew)

    def _on_settings(self, settings: Settings) -> None:
        before, self._settings = self._settings, settings
        if (settings.model, settings.device) == (before.model, before.device):
            return
        self.worker.use_model(self._model_loader(settings))
        self._kept.clear()
        if self.player.info is None:
            return
        if self.window.page == "file":
            self._analyse(anew=True)
        else:  # the session's page is shown, and what computes is its
            self._due = True


def _stamp_of(path: Path) -> tuple[int, int] | None:
    """Size and time of the last change; None where it cannot be looked at."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
