"""How a file is heard: how loud, and which of its sound tracks."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtMultimedia import QAudio, QAudioOutput, QMediaMetaData, QMediaPlayer

from fer_desktop.playback import qt_loop

_LINEAR, _EAR = QAudio.VolumeScale.LinearVolumeScale, QAudio.VolumeScale.LogarithmicVolumeScale


class Sound(QObject):
    """Works without any sound device too; then nothing is heard."""

    changed = Signal()

    def __init__(self, media: QMediaPlayer) -> None:
        super().__init__(media)
        self._media = media
        self._output = QAudioOutput(self)
        media.setAudioOutput(self._output)
        media.tracksChanged.connect(self.changed)
        media.activeTracksChanged.connect(self.changed)

    @property
    def volume(self) -> float:
        """0 to 1, in steps that are even for the ear."""
        return float(QAudio.convertVolume(self._output.volume(), _LINEAR, _EAR))

    def set_volume(self, volume: float) -> None:
        """0 to 1; ends being muted."""
        volume = min(max(volume, 0.0), 1.0)
        self._output.setVolume(QAudio.convertVolume(volume, _EAR, _LINEAR))
        self._output.setMuted(False)
        self.changed.emit()

    @property
    def muted(self) -> bool:
        return self._output.isMuted()

    def set_muted(self, muted: bool) -> None:
        self._output.setMuted(muted)
        self.changed.emit()

    @property
    def tracks(self) -> tuple[str, ...]:
        """What each is called."""
        tracks = self._media.audioTracks()
        return tuple(_name_of(track, number) for number, track in enumerate(tracks, 1))

    @property
    def track(self) -> int:
        """Which of them is heard; -1: none."""
        return self._media.activeAudioTrack()

    def choose_track(self, number: int) -> None:
        """``changed`` tells when it is heard."""
        if number != self.track and 0 <= number < len(self._media.audioTracks()):
            qt_loop.set_property(self._media, "activeAudioTrack", number)


def _name_of(track: QMediaMetaData, number: int) -> str:
    """Its title and language, or its number."""
    key = QMediaMetaData.Key
    names = [track.stringValue(k) for k in (key.Title, key.Language)]
    return " · ".join(name for name in names if name) or f"Sound {number}"
