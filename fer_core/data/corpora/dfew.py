"""DFEW: 12,059 film clips with one of seven emotions, in five published folds.

    EmoLabel_DataSplit/test(single-labeled)/set_1.csv ... set_5.csv   the test clips of each fold
    EmoLabel_DataSplit/train(single-labeled)/set_1.csv ...            the others
    Clip/original/part_*/1.mp4 ...             clips with sound
    Clip/clip_224x224_avi/00001.avi ...        or those frames that show a face, cropped to it
    Clip/clip_224x224/00001/1.jpg ...          the same as pictures
    Clip/clip_224x224_16f/00001/00001_1.jpg .. or 16 pictures spread over the clip

One form is used, the first of these that is there. Pictures are shown at 25 a second, which is the
rate of film to 4 %, and 16 that are a whole clip in 3 seconds, one for each look at a window.

The tables have the columns ``video_name`` (or ``order``) and ``label``: 1 happy, 2 sad, 3 neutral,
4 angry, 5 surprise, 6 disgust, 7 fear. A plain ``annotation.csv`` with the same columns gives clips
without folds. Neutral means neutral or calm. Nobody wrote down who is in a clip.

X. Jiang et al.: DFEW: A Large-Scale Database for Recognizing Dynamic Facial Expressions in the
Wild, ACM Multimedia 2020.
"""

from __future__ import annotations

import re
from pathlib import Path

from fer_core.data.corpora.emotion_names import EMOTION_OF
from fer_core.data.corpora.folders import (
    VIDEO_SUFFIXES,
    first_of_each,
    frame_folders,
    located_rows,
    media_files,
)
from fer_core.data.item import NEUTRAL_OR_CALM, Corpus, Item, Problem, one_emotion
from fer_core.data.media_info import probe
from fer_core.errors import UserError
from fer_core.media import TICK_SECONDS

FRAME_RATE = 25.0  # frames a second of clips that lie as pictures; nobody wrote it down
SPREAD = "16f"  # the end of the name of a folder with clips of 16 frames spread over each
_LABELS = dict(
    enumerate(("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear"), start=1)
)


def read(folder: Path) -> Corpus:
    """All clips that have a label and a file."""
    problems: list[Problem] = []
    labels: dict[int, tuple[str, int | None]] = {}  # by clip: label and fold
    for table, fold in _tables(folder):
        for where, row in located_rows(folder, table, problems):
            clip = row.get("video_name") or row.get("order") or ""
            if clip.isdecimal():
                labels.setdefault(int(clip), (row.get("label", ""), fold))
            else:
                problems.append(Problem(where, "no clip number"))
    clips = _clips(folder, problems)
    has_sound = _has_sound(clips)
    items = []
    for number, (label, fold) in sorted(labels.items()):
        path = clips.get(number)
        emotion = _LABELS.get(int(label)) if label.isdecimal() else None
        if emotion is None:
            problems.append(Problem(f"clip {number}", "none of the seven labels"))
        elif path is None:
            problems.append(Problem(f"clip {number}", "no such clip"))
        else:
            items.append(
                Item(
                    key=f"{number:05d}",
                    path=path,
                    kind="recording",
                    has_sound=has_sound,
                    has_picture=True,
                    shares=one_emotion(EMOTION_OF[emotion]),
                    groups=NEUTRAL_OR_CALM,
                    official_fold=fold,
                    frame_rate=_frame_rate(path),
                )
            )
    return Corpus("dfew", folder, tuple(items), tuple(problems))


def _tables(folder: Path) -> list[tuple[Path, int | None]]:
    """The tables with their fold: those of test first, because only they name a clip's fold."""
    sets = [
        (path, int(number[1]))
        for path in sorted(folder.rglob("set_*.csv"))
        if (number := re.fullmatch(r"set_(\d)", path.stem))
    ]
    tested = [(path, fold) for path, fold in sets if path.parent.name.startswith("test")]
    others = [(path, None) for path, _ in sets if path.parent.name.startswith("train")]
    return [*tested, *others, *((path, None) for path in sorted(folder.rglob("annotation.csv")))]


def _clips(folder: Path, problems: list[Problem]) -> dict[int, Path]:
    """Files or folders of frames by the clip's number, all of the best form that is there."""
    found = [*media_files(folder, VIDEO_SUFFIXES, problems), *frame_folders(folder, problems)]
    numbered = [path for path in found if path.stem.isdecimal()]
    best = min(map(_form, numbered), default=None)
    of_best = [path for path in numbered if _form(path) == best]
    return first_of_each(folder, of_best, lambda path: int(path.stem), problems)


def _form(path: Path) -> tuple[bool, bool, bool]:
    """What sorts the better form of a clip first: with sound, as a video, with all its frames."""
    return "original" not in path.parts, not _is_video(path), path.parent.name.endswith(SPREAD)


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES


def _frame_rate(path: Path) -> float | None:
    """Of a folder of frames; None for a video, which tells its own."""
    if _is_video(path):
        return None
    return 1 / TICK_SECONDS if path.parent.name.endswith(SPREAD) else FRAME_RATE


def _has_sound(clips: dict[int, Path]) -> bool:
    """As the first clip that opens; they were all made alike, and opening each takes minutes."""
    for path in filter(_is_video, clips.values()):
        try:
            return probe(path).has_sound
        except UserError:
            continue
    return False
