"""A file from its beginning to its end: emotions, voice, face, what is selected and noted.

Fills while the file is analysed. Click to go there, drag to select, turn the wheel to zoom.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontInfo, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QScrollBar,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fer_core.analysis.timeline import Marker, Segment
from fer_core.labels import EMOTIONS
from fer_desktop.playback.segment_table import SegmentTable
from fer_desktop.ui.legend import legend, named_emotion
from fer_desktop.ui.theme import colours_of, is_theme_change
from fer_desktop.ui.time_plot import TimePlot
from fer_desktop.ui.timeline import clock

if TYPE_CHECKING:
    from fer_desktop.ui.file_plot import FilePlot

_SCROLL_STEPS = 1000  # to the second, of the scroll bar
_PLAYHEAD_PLACE = 0.1  # of the width, after the picture has run out of what is shown

_VIEWS = (("Lanes", "lanes", "A lane for each emotion"),
          ("Stacked", "stacked", "All emotions on top of each other"))  # fmt: skip
_VALUES = (("Raw", "raw", "As the model answers"),
           ("Smoothed", "smoothed", "Steadied over time, as live"),
           ("Both", "both", "Smoothed, with the raw ones as lines once you zoom in"))  # fmt: skip


class FileTimeline(TimePlot):
    """Knows nothing of players and files."""

    seek_requested = Signal(float)  # seconds
    selection_changed = Signal(object)  # tuple[float, float], or None

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = SegmentTable()
        self.selection: tuple[float, float] | None = None
        self._duration_s = 0.0
        self._playhead_s = 0.0
        self.markers: tuple[Marker, ...] = ()
        self.plot: FilePlot | None = None

        self.readout = QLabel()
        self.readout.setTextFormat(Qt.TextFormat.RichText)
        self.readout.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.view = _choice("View", _VIEWS)
        self.values = _choice("Values", _VALUES)
        for choice in (self.view, self.values):
            choice.currentIndexChanged.connect(self._show_as)
        zoom_out = _button("-", "Show a longer time (-)", self.zoom_out)
        fit = _button("Fit", "Show the whole file (0)", self.fit)
        zoom_in = _button("+", "Show a shorter time (+)", self.zoom_in)
        head = QHBoxLayout()
        head.setContentsMargins(12, 2, 8, 0)
        head.setSpacing(6)
        head.addWidget(self.readout, 1)
        for widget in (self.view, self.values, zoom_out, fit, zoom_in):
            head.addWidget(widget)
        self.bar = QScrollBar(Qt.Orientation.Horizontal)
        self.bar.setAccessibleName("Part of the file that is shown")
        self.bar.valueChanged.connect(self._on_bar)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(2, 4, 2, 4)
        self._layout.setSpacing(2)
        self._layout.addLayout(head)
        self._layout.addStretch(1)
        self._layout.addWidget(self.bar)
        self.setMinimumHeight(150)
        self.setAccessibleName("Emotions over the file")
        self._show_legend()

    def sizeHint(self) -> QSize:
        return QSize(1200, 300)

    # What is shown

    def set_duration(self, duration_s: float) -> None:
        """Of the file, in seconds; shows all of it if all of it was shown before.

        What was selected behind it is selected no more.
        """
        fitted = self._shows_all()
        self._duration_s = duration_s
        if self.selection is not None:
            self.set_selection(*self.selection)
        if self.plot is not None:
            self.plot.set_duration(duration_s)
            if fitted:
                self.fit()
            self._update_bar()

    def add_segments(self, segments: Sequence[Segment]) -> None:
        """Those that follow the last one."""
        self.table.add(segments)
        if self.table.end_s > self._duration_s:  # the header promised less
            self.set_duration(self.table.end_s)
        if self.plot is not None:
            self.plot.draw()

    def set_segments(self, segments: Sequence[Segment]) -> None:
        """In place of those that are there."""
        self.table.clear()
        self.add_segments(segments)

    def clear(self) -> None:
        """For another file."""
        self.table.clear()
        self.markers, self._playhead_s, self._duration_s = (), 0.0, 0.0
        self.set_selection(None)
        if self.plot is not None:
            self.plot.set_markers(())
            self.plot.set_playhead(0.0)
            self.plot.draw()

    def set_playhead(self, time_s: float) -> None:
        """Moves what is shown along when the playhead leaves it to the right."""
        before_s, self._playhead_s = self._playhead_s, time_s
        if self.plot is None:
            return
        self.plot.set_playhead(time_s)
        start, end = self.shown()
        if start <= before_s <= end < time_s < self._duration_s:
            self.show_from(time_s - _PLAYHEAD_PLACE * (end - start))

    def set_selection(self, start_s: float | None, end_s: float | None = None) -> None:
        """Show what of ``start_s`` to ``end_s`` lies in the file; None: nothing is selected."""
        chosen = None
        if start_s is not None and end_s is not None:
            first_s = max(min(start_s, end_s), 0.0)
            last_s = min(max(start_s, end_s), self._duration_s)
            chosen = (first_s, last_s) if first_s < last_s else None
        if self.plot is not None:
            self.plot.set_selection(chosen)
        if chosen != self.selection:
            self.selection = chosen
            self.selection_changed.emit(chosen)

    def set_markers(self, markers: Sequence[Marker]) -> None:
        self.markers = tuple(markers)
        if self.plot is not None:
            self.plot.set_markers(self.markers)

    def set_smoothing(self, strength: float) -> None:
        """Of the smoothed values, 0 (raw) to 1."""
        self.table.smooth(strength)
        if self.plot is not None:
            self.plot.draw()

    # Zoom and scroll

    def reach(self) -> tuple[float, float]:
        return 0.0, self._duration_s

    def fit(self) -> None:
        """Show the whole file."""
        if self.plot is not None:
            self.plot.setXRange(0, max(self._duration_s, 1e-3), padding=0)

    def _fixed_s(self, start_s: float, end_s: float) -> float:
        """The playhead, if it is shown."""
        inside = start_s <= self._playhead_s <= end_s
        return self._playhead_s if inside else super()._fixed_s(start_s, end_s)

    def _shows_all(self) -> bool:
        start, end = self.shown()
        return end - start >= self._duration_s * 0.999

    def _make_plot(self) -> None:
        from fer_desktop.ui.file_plot import FilePlot

        plot = self.plot = FilePlot(self.table, colours_of(self), self)
        plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys are the window's
        plot.setAccessibleName("Plot of the emotions over the file")
        plot.setToolTip("Click: go there. Drag: select. Wheel: zoom. Shift and wheel: scroll")
        plot.seek_requested.connect(self._on_click)
        plot.selected.connect(self._on_selected)
        plot.range_changed.connect(self._update_bar)
        plot.hovered.connect(self._on_hover)
        plot.viewport().installEventFilter(self)
        self._layout.takeAt(1)  # the stretch that kept its place
        self._layout.insertWidget(1, plot, 1)
        plot.set_duration(self._duration_s)
        plot.set_markers(self.markers)
        plot.set_playhead(self._playhead_s)
        plot.set_selection(self.selection)
        self._show_as()
        self.fit()
        self._update_bar()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if is_theme_change(event):
            self._show_legend()
            if self.plot is not None:
                # This widget's: the plot may hear of the change before or after it.
                self.plot.restyle(colours_of(self))

    def _show_as(self) -> None:
        if self.plot is not None:
            self.plot.show_as(self.view.currentData(), self.values.currentData())

    def _update_bar(self) -> None:
        start, end = self.shown()
        length = end - start
        self.bar.blockSignals(True)
        self.bar.setRange(0, round(max(self._duration_s - length, 0) * _SCROLL_STEPS))
        self.bar.setPageStep(round(length * _SCROLL_STEPS))
        self.bar.setSingleStep(max(round(length / 20 * _SCROLL_STEPS), 1))
        self.bar.setValue(round(start * _SCROLL_STEPS))
        self.bar.blockSignals(False)

    def _on_bar(self, value: int) -> None:
        self.show_from(value / _SCROLL_STEPS)

    # What people do with the mouse

    def _on_click(self, time_s: float) -> None:
        assert self.plot is not None
        marker = self.plot.marker_near(time_s)
        wanted = time_s if marker is None else marker.time_s
        self.seek_requested.emit(float(np.clip(wanted, 0, self._duration_s)))

    def _on_selected(self, start_s: float, end_s: float, finished: bool) -> None:
        if finished:
            self.set_selection(start_s, end_s)
        else:
            length_s = end_s - start_s
            self.readout.setText(f"{clock(start_s, 3)} to {clock(end_s, 3)}, {length_s:.3f} s")

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave and self.plot is not None:
            self.plot.hide_cursor()
            self._show_legend()
        return False

    def _on_hover(self, time_s: float) -> None:
        self.readout.setText(self.text_at(time_s))

    def text_at(self, time_s: float) -> str:
        """What was found at a time, highest first, as rich text."""
        assert self.plot is not None
        marker = self.plot.marker_near(time_s)
        told = f"{clock(time_s, 3)}&nbsp; "
        if marker is not None:
            told += f"<b>⚑ {escape(marker.note)}</b>&nbsp; "
        values = self.table.values_at(time_s, smooth=self.values.currentData() == "smoothed")
        if values is None:
            known = time_s <= self.table.end_s
            return told + ("neither face nor voice" if known else "not analysed yet")
        ranked = np.argsort(values)[::-1]
        return told + "&nbsp; ".join(named_emotion(self, i, f" {values[i]:.0%}") for i in ranked)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_legend()

    def _fit_legend(self) -> None:
        """Its letters are as large as all names have room for."""
        font, usual = QFont(self.font()), QFontInfo(self.font()).pixelSize()
        names = "  ".join(f"■ {name}" for name in EMOTIONS) + "  "
        share = self.readout.width() / self.fontMetrics().horizontalAdvance(names)
        font.setPixelSize(int(min(usual, max(usual * share, 11))))
        self.readout.setFont(font)

    def _show_legend(self) -> None:
        self.readout.setText(legend(self))


def _choice(name: str, entries: Sequence[tuple[str, str, str]]) -> QComboBox:
    box = QComboBox()
    for text, data, tip in entries:
        box.addItem(text, data)
        box.setItemData(box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
    box.setAccessibleName(name)
    box.setToolTip(name)
    box.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # after a click Space still means play
    return box


def _button(text: str, tip: str, act: object) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setAccessibleName(tip.split(" (")[0])
    button.clicked.connect(act)
    return button
