"""The real program with a file: it plays, is analysed, and closes when both can be seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QColor

from fer_core.labels import EMOTIONS
from fer_core.preprocess.opencv import cv2
from fer_desktop.settings import Settings, save_settings
from fer_desktop.ui.theme import DARK

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(200)

# The program as it is, and somebody who closes its window when there is something to see.
SCRIPT = """
import json, sys
from PySide6.QtCore import QTimer
from fer_desktop import app, program

class Watched(program.Program):
    def __init__(self, options):
        super().__init__(options)
        self._watch = QTimer(interval=100)
        self._watch.timeout.connect(self._look)
        self._watch.start()

    def _look(self):
        files = self.files
        if files is None or files.timeline is None:
            return
        player, page = files.player, files.page
        if player.playing or not player.position_s:
            return
        self._watch.stop()
        player.seek(1.0)
        QTimer.singleShot(1500, self._leave)

    def _leave(self):
        files = self.files
        with open(sys.argv[1], "w") as file:
            json.dump({
                "position_s": files.player.position_s,
                "segments": [segment.as_json() for segment in files.results.segments],
                "bars": files.page.bars.accessibleDescription(),
                "notices": files.window.notices.keys(),
            }, file)
        self.window.close()

program.Program = Watched
sys.exit(app.main(sys.argv[2:]))
"""


def run(folder: Path, *arguments: str) -> tuple[dict, str]:
    """What the program showed of the file in ``arguments``, and what it wrote to the terminal."""
    save_settings(Settings(agreed=True, theme="dark"), folder / "settings.json")
    told = folder / "told.json"
    own = {
        "FER_DESKTOP_SETTINGS": str(folder / "settings.json"),
        "XDG_STATE_HOME": str(folder),
        "QT_QPA_PLATFORM": "offscreen",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(told), *arguments],
        cwd=ROOT,
        env=os.environ | own,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(told.read_text()), done.stderr


def test_a_file_is_played_analysed_and_shown(own_recordings, angry_model, tmp_path):
    file, picture = own_recordings / "ann_happy.mp4", tmp_path / "window.png"
    told, errors = run(
        tmp_path, str(file), "--model", str(angry_model), "--screenshot", str(picture)
    )
    assert errors == ""
    assert told["notices"] == []
    assert told["position_s"] == 1.0
    assert len(told["segments"]) == 9
    assert told["segments"][0]["start_s"] == 0
    assert told["segments"][-1]["end_s"] == pytest.approx(3.2, abs=0.05)
    assert {segment["emotion"] for segment in told["segments"]} == {"angry"}
    assert told["bars"].startswith("angry 75%")
    assert json.loads((tmp_path / "recent-files.json").read_text()) == [str(file)]

    window = cv2.imread(str(picture))[..., ::-1].astype(int)
    left = window[60:400, : window.shape[1] // 2 - 40]
    assert left.std() > 20, "the picture of the file is there"
    area = {}
    for emotion, colour in zip(EMOTIONS, DARK.emotions, strict=True):
        wanted = QColor(colour)
        distance = abs(window - [wanted.red(), wanted.green(), wanted.blue()]).max(axis=2)
        area[emotion] = int((distance < 6).sum())
    others = [area[emotion] for emotion in EMOTIONS if emotion != "angry"]
    assert area["angry"] > 3 * max(others), area


@pytest.mark.parametrize("name", ["cremad_happy.mp4", "grid_bbaf2n.mpg"])
def test_a_real_recording_is_played_and_its_face_and_voice_are_found(name, tmp_path, real_clips):
    told, errors = run(tmp_path, str(real_clips / name))
    assert errors == ""
    assert told["notices"] == []
    assert told["position_s"] == 1.0
    seen = [segment for segment in told["segments"] if segment["modalities"] == ["audio", "video"]]
    assert len(seen) >= 3
    assert all(segment["face"]["score"] > 0.5 for segment in seen)
