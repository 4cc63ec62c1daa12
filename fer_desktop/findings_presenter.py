"""What was found in the open file, beside its playback: peaks, summary, markers, export.

Runs on the GUI thread; pictures are decoded and files are written on threads of their own.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

import platformdirs
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QWidget

from fer_core.analysis.timeline import Marker, Timeline
from fer_core.errors import UserError
from fer_desktop.errors import Notice
from fer_desktop.playback.analysis_worker import AnalysisWorker
from fer_desktop.playback.exporting import Exporter, ExportRequest
from fer_desktop.playback.markers import Markers
from fer_desktop.playback.results import Results
from fer_desktop.playback.thumbnails import Thumbnail, Thumbnails
from fer_desktop.ui.export_dialog import ExportDialog
from fer_desktop.ui.file_timeline import FileTimeline
from fer_desktop.ui.marker_list import MarkerList
from fer_desktop.ui.peaks import PeakGrid
from fer_desktop.ui.selection_summary import SelectionSummary

REFRESH_MS = 1000  # peaks and summary need not follow the analysis more closely


class Views(Protocol):
    """What it fills of the window's file page."""

    timeline: FileTimeline
    peaks: PeakGrid
    summary: SelectionSummary
    markers: MarkerList


class FindingsPresenter(QObject):
    """Whoever owns the player tells which file is open and where its playhead is."""

    def __init__(
        self,
        views: Views,
        worker: AnalysisWorker,
        results: Results,
        now_s: Callable[[], float],
        show_notice: Callable[[Notice], None],
        markers: Markers | None = None,
        parent: QObject | None = None,
    ) -> None:
        """``results`` are filled by others, before this hears of it; ``now_s``: the playhead."""
        super().__init__(parent)
        self._views = views
        self._results = results
        self._now_s = now_s
        self._show_notice = show_notice
        self._markers = markers or Markers()
        self._path: Path | None = None
        self._has_picture = False
        self._timeline: Timeline | None = None
        self.dialog: ExportDialog | None = None
        self._thumbnails = Thumbnails(self)
        self._exporter = Exporter(self)
        self._refresh_timer = QTimer(self, interval=REFRESH_MS, singleShot=True)
        self._refresh_timer.timeout.connect(self._refresh)

        worker.identified.connect(self._on_identified)
        worker.segments.connect(self._on_segments)
        worker.finished.connect(self._on_finished)
        self._thumbnails.ready.connect(self._on_thumbnail)
        views.timeline.selection_changed.connect(lambda _: self._summarise())
        views.markers.marker_wanted.connect(self.mark)
        views.markers.note_changed.connect(self._on_note)
        views.markers.removed.connect(self._on_removed)
        views.markers.restored.connect(self._on_restored)
        self._exporter.finished.connect(self._on_written)
        self._exporter.failed.connect(self._on_export_failed)
        self._exporter.cancelled.connect(lambda: self._tell_dialog(ExportDialog.show_cancelled))
        self._exporter.progress.connect(self._on_export_progress)

    def open(self, path: Path, has_picture: bool) -> None:
        """Another file is open; its analysis begins."""
        self._path, self._has_picture, self._timeline = path, has_picture, None
        self._markers.close()
        self._show_markers()
        self._refresh()

    def forget(self) -> None:
        """Another file is being opened; it may not be one."""
        self._path = self._timeline = None
        self._markers.close()
        self._show_markers()

    def close(self) -> None:
        """At the program's end."""
        self._refresh_timer.stop()
        self._thumbnails.stop()
        self._exporter.stop()
        if self.dialog is not None:
            self.dialog.show_cancelled()
            self.dialog.reject()

    # Peaks and summary

    def _on_identified(self, sha256: str) -> None:
        """An analysis begins, of another file or with another model."""
        self._timeline = None
        try:
            self._markers.open(sha256)
        except UserError as error:
            self._tell("markers", error)
        self._show_markers()

    def _on_segments(self) -> None:
        if not self._refresh_timer.isActive():
            self._refresh_timer.start()

    def show(self, timeline: Timeline) -> None:
        """Of another face; ``results`` hold it already."""
        self._on_finished(timeline)

    def _on_finished(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._refresh_timer.stop()
        self._refresh()

    def _refresh(self) -> None:
        peaks = self._results.peaks()
        if self._joined():
            self._views.peaks.clear()  # of the pictures too, which may be of another moment
        self._views.peaks.set_peaks(peaks)
        if self._path is not None and self._has_picture:
            self._thumbnails.want(self._path, () if self._joined() else peaks)
        self._summarise()

    def _joined(self) -> bool:
        """Whether the file is known to be of several that were joined as they are."""
        return self._timeline is not None and self._timeline.joined

    def _on_thumbnail(self, thumbnail: Thumbnail) -> None:
        if not self._joined():
            self._views.peaks.set_picture(thumbnail.peak, thumbnail.image)

    def _summarise(self) -> None:
        selection = self._views.timeline.selection
        start_s, end_s = selection or (0.0, self._results.duration_s)
        summary = self._results.summary(start_s, end_s)
        self._views.summary.show_summary(
            summary, selected=selection is not None, complete=self._timeline is not None
        )

    # Markers

    def mark(self) -> None:
        """Mark where the playhead is, and let people write a note."""
        if self._path is None:
            return
        time_s = self._now_s()
        self._keep(lambda: self._markers.add(time_s))
        marker = min(self._markers.all, key=lambda m: abs(m.time_s - time_s), default=None)
        if marker is not None:
            self._views.markers.edit(marker)

    def _on_note(self, marker: Marker, note: str) -> None:
        self._keep(lambda: self._markers.change(marker, note))

    def _on_removed(self, marker: Marker) -> None:
        self._keep(lambda: self._markers.remove(marker))

    def _on_restored(self, marker: Marker) -> None:
        self._keep(lambda: self._markers.add(marker.time_s, marker.note))

    def _keep(self, change: Callable[[], object]) -> None:
        try:
            change()
        except UserError as error:
            self._tell("markers", error)
        self._show_markers()

    def _show_markers(self) -> None:
        self._views.markers.set_markers(self._markers.all)
        self._views.timeline.set_markers(self._markers.all)

    # Export

    def export(self, parent: QWidget | None = None) -> None:
        """Ask what is wanted, and write it; nothing before the file is analysed to its end."""
        if self._timeline is None or self._path is None or self.dialog is not None:
            return
        face = self._timeline.face_id
        name = f"{self._path.stem}-emotions" + ("" if face is None else f"-face-{face}")
        dialog = ExportDialog(_folder_for(self._path), name)
        dialog.setParent(parent, dialog.windowFlags())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        # What was there when it opened: another analysis may begin behind it.
        dialog.export_requested.connect(partial(self._on_export, self._timeline))
        dialog.cancel_requested.connect(self._exporter.cancel)
        dialog.finished.connect(self._forget_dialog)
        self.dialog = dialog
        dialog.open()

    def _forget_dialog(self) -> None:
        self.dialog = None

    def _on_export(self, timeline: Timeline, request: ExportRequest) -> None:
        marked = dataclasses.replace(timeline, markers=self._markers.all)
        self._exporter.start(marked, request)

    def _tell_dialog(self, tell: Callable[[ExportDialog], None]) -> None:
        if self.dialog is not None:
            tell(self.dialog)

    def _on_export_progress(self, path: Path, share: float) -> None:
        self._tell_dialog(lambda dialog: dialog.show_progress(path, share))

    def _on_written(self, paths: tuple[Path, ...]) -> None:
        self._tell_dialog(lambda dialog: dialog.show_written(paths))

    def _on_export_failed(self, notice: Notice) -> None:
        self._tell_dialog(lambda dialog: dialog.show_failure(notice))

    def _tell(self, key: str, error: UserError) -> None:
        self._show_notice(Notice(key, error.text, error.hint, severity="warning"))


def _folder_for(path: Path) -> Path:
    """Beside the file, or where documents are if nothing can be written there."""
    beside = path.parent
    return beside if os.access(beside, os.W_OK) else platformdirs.user_documents_path()
