import importlib.metadata
import json
import subprocess
import sys

SHOW = """
import json, os
from fer_core.preprocess.opencv import cv2
print(json.dumps([os.environ.get(name) for name in {names}]))
"""
QT = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")


def after_import(environment: dict[str, str]) -> list[str | None]:
    code = SHOW.format(names=QT)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_both_packages_that_own_cv2_have_the_same_version():
    versions = {importlib.metadata.version(f"opencv-{kind}python") for kind in ("", "contrib-")}
    assert len(versions) == 1


def test_opencv_does_not_bend_qt_to_its_own_plugins():
    assert after_import({"PATH": ""}) == [None, None]


def test_what_the_user_set_for_qt_stays():
    mine = dict(zip(QT, ("/my/plugins", "/my/fonts"), strict=True))
    assert after_import({"PATH": ""} | mine) == list(mine.values())
