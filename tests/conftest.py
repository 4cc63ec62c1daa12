"""What holds for every test."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.config import (
    AudioConfig,
    ClassifierConfig,
    FERConfig,
    FusionConfig,
    TemporalConfig,
    VisionConfig,
)

STATUS = pytest.StashKey[int]()
# Of people, so not in this repository: FER+ and, in clips/, RAVDESS, CREMA-D and GRID recordings.
REAL_DATA = Path(os.environ.get("FER_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """A thread that a failed test left behind must not keep the run from ending."""
    left = [t for t in threading.enumerate() if t is not threading.main_thread() and not t.daemon]
    if left and (status := config.stash.get(STATUS, 0)):
        print(f"left behind by a test: {left}", file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


@pytest.fixture(scope="session")
def documented() -> Callable[[str], list[set[str]]]:
    """What each table under a heading of docs/files.md has in its first column, by name."""
    text = (Path(__file__).parents[1] / "docs" / "files.md").read_text(encoding="utf-8")

    def names(heading: str) -> list[set[str]]:
        section = text.split(f"\n### {heading}\n")[1].split("\n##")[0]
        tables = section.split("|---|---|\n")[1:]
        cells = (re.findall(r"^\| (.*?) \|", table, re.MULTILINE) for table in tables)
        return [set(re.findall(r"`(.*?)`", " ".join(cell))) for cell in cells]

    return names


@pytest.fixture(scope="session")
def real_data() -> Path:
    if not REAL_DATA.is_dir():
        pytest.skip(f"There are no real recordings in {REAL_DATA} (FER_TEST_DATA names another).")
    return REAL_DATA


@pytest.fixture(scope="session")
def real_clips(real_data: Path) -> Path:
    return real_data / "clips"


@pytest.fixture(scope="session")
def tiny_config() -> FERConfig:
    """The smallest network; without dropout, so that its training can be repeated."""
    return FERConfig(
        name="tiny",
        audio=AudioConfig(width=16, layers=1, heads=2, subsampling_channels=8, dropout=0.0),
        vision=VisionConfig(width=16, layers=1, heads=2, mlp=32),
        temporal=TemporalConfig(conv_layers=1, attention_layers=1, heads=2, dropout=0.0),
        fusion=FusionConfig(
            width=16,
            layers=3,
            heads=2,
            key_value_heads=1,
            feed_forward=48,
            out=16,
            dropout=0.0,
        ),
        classifier=ClassifierConfig(hidden=(16, 8), dropout=0.0),
    )
