"""A table of one's own recordings: a CSV file with a heading and a row for each.

    path        a sound, video or picture file, relative to the table; a picture must be cropped to
                the face
    emotion     one of the eight, or a usual other word: fear, anger, joy, surprise ...
                or, instead, a column for each emotion with its number of votes; those of several
                words for one emotion are added up, and a row where two emotions tie is not scored
    speaker     any name, in capitals or not; needed to keep a voice out of both training and test
    start, end  seconds, to use only a part of the file (may be left out)
    sex         female or male (may be left out)
    split       train, valid or test, if they are fixed (may be left out, of all rows)

Separated by commas, semicolons or tabs. If no row and no column speaks of calm, neutral means
neutral or calm. Other columns are not used, and listed with the rows that cannot be.
"""

from __future__ import annotations

import math
import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TypeVar

from fer_core.data.corpora.emotion_names import emotion_of, groups_of, shares_of
from fer_core.data.corpora.folders import PICTURE_SUFFIXES, read_table
from fer_core.data.file_header import quick_fault
from fer_core.data.item import Corpus, Groups, Item, OfficialSplit, Problem, Sex
from fer_core.data.media_info import MediaInfo, probe
from fer_core.errors import UserError
from fer_core.labels import EMOTIONS

_SPLITS: dict[str, OfficialSplit] = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "dev": "valid",
    "test": "test",
}
_COLUMNS = ("path", "emotion", "speaker", "start", "end", "sex", "split")
_SEXES: dict[str, Sex] = {"f": "female", "female": "female", "m": "male", "male": "male"}
_CALM = EMOTIONS.index("calm")

Known = TypeVar("Known")


def read(folder: Path) -> Corpus:
    """All rows of the table ``folder``, or of the only table in the folder.

    Raises:
        UserError: there is none or several, or it lacks a column or has one twice.
    """
    table = _table(folder)
    found = read_table(table)
    names, rows = found.columns, found.rows
    if not rows:
        raise UserError(f"The table “{table}” has no rows.", "Check that it is the right file.")
    voted = "emotion" not in names
    columns = {
        name: emotion for name in names if voted and (emotion := emotion_of(name)) is not None
    }
    if "path" not in names or (voted and not columns):
        raise UserError(
            f"The table “{table}” needs a column “path”, and “emotion” or one for each emotion; "
            f"it has {', '.join(names)}.",
            "Name its columns so in the first line.",
        )
    used = {*_COLUMNS, *columns}
    if twice := [name for name in names if name in used and names.count(name) > 1]:
        raise UserError(f"The table “{table}” has two columns “{twice[0]}”.", "Rename one of them.")
    if voted:
        tells_calm = _CALM in columns.values()
    else:
        tells_calm = any(emotion_of(row.get("emotion", "")) == _CALM for row in rows.values())
    groups = groups_of(tells_calm)

    divided = any(row.get("split") for row in rows.values())

    items: dict[str, Item] = {}  # by file and start
    problems = [Problem(name, "column not used") for name in names if name and name not in used]
    probe_once = cache(probe)  # many rows may be parts of one long recording
    for number, row in rows.items():
        where = f"row {number}: {row.get('path', '')}"
        try:
            item = _item(table.parent, row, columns, groups, probe_once)
        except ValueError as error:
            problems.append(Problem(where, str(error)))
            continue
        place = f"{item.path.resolve()}#{item.start_s:.10g}"  # a file has many spellings
        if divided and item.official_split is None:
            problems.append(Problem(where, "no split, which other rows have"))
        elif place in items:
            problems.append(Problem(where, "listed twice"))
        else:
            items[place] = item
    people = _in_one_spelling(items.values())
    return Corpus("manifest", folder, people, tuple(problems))


def _table(folder: Path) -> Path:
    if folder.is_file():
        return folder
    tables = sorted(folder.glob("*.csv"))
    if len(tables) != 1:
        raise UserError(
            f"The folder “{folder}” holds {len(tables) or 'no'} tables (CSV).",
            "Give the path of the table itself.",
        )
    return tables[0]


def _item(
    base: Path,
    row: Mapping[str, str],
    columns: Mapping[str, int],  # of votes: their emotions; none if one column names the emotion
    groups: Groups,
    probe_once: Callable[[Path], MediaInfo],
) -> Item:
    """One row.

    Raises:
        ValueError: it cannot be used; the message is the reason, in words that can be counted.
    """
    named = row.get("path", "").replace("\\", "/")
    if not named:
        raise ValueError("no path")
    named = posixpath.normpath(named)
    path = base / named
    if not path.is_file():
        raise ValueError("no such file")
    fault = quick_fault(path)
    if fault is not None:
        raise ValueError(fault)
    still = path.suffix.lower() in PICTURE_SUFFIXES
    has_sound, has_picture = (False, True) if still else _tracks(path, probe_once)

    shares = shares_of(_votes(row, columns), groups)
    start, end = _seconds(row, "start") or 0.0, _seconds(row, "end")
    if end is not None and end <= start:
        raise ValueError("its end is not after its start")
    return Item(
        key=f"{named}#{start:.10g}" if start else named,  # hours, to the tenth of a ms
        path=path,
        kind="still" if still else "recording",
        has_sound=has_sound,
        has_picture=has_picture,
        shares=shares,
        groups=groups,
        speaker=row.get("speaker") or None,
        sex=_one_of(_SEXES, row, "sex"),
        start_s=start,
        end_s=end,
        official_split=_one_of(_SPLITS, row, "split"),
        difficulty=1 - max(shares) if columns else 0.5,
        scored=shares.count(max(shares)) == 1,  # as in FER+: of a tie no answer would be right
    )


def _in_one_spelling(items: Iterable[Item]) -> tuple[Item, ...]:
    """``items`` with each person's name as it is first written: Ann and ann are one."""
    first: dict[str, str] = {}
    return tuple(
        item
        if item.speaker is None
        else replace(item, speaker=first.setdefault(item.speaker.casefold(), item.speaker))
        for item in items
    )


def _tracks(path: Path, probe_once: Callable[[Path], MediaInfo]) -> tuple[bool, bool]:
    try:
        info = probe_once(path)
    except UserError as error:
        raise ValueError("not a sound or video file") from error
    return info.has_sound, info.has_picture


def _votes(row: Mapping[str, str], columns: Mapping[str, int]) -> list[tuple[int, float]]:
    if columns:
        return [(emotion, _number(row.get(name) or "0")) for name, emotion in columns.items()]
    emotion = emotion_of(row.get("emotion", ""))
    if emotion is None:
        raise ValueError("unknown emotion")
    return [(emotion, 1.0)]


def _seconds(row: Mapping[str, str], column: str) -> float | None:
    written = row.get(column)
    if not written:
        return None
    seconds = _number(written)
    if seconds < 0:
        raise ValueError("a time before 0")
    return seconds


def _number(written: str) -> float:
    try:
        number = float(written.replace(",", "."))  # tables with semicolons often have 1,5
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("not a number")
    return number


def _one_of(known: Mapping[str, Known], row: Mapping[str, str], column: str) -> Known | None:
    """What a cell means; None where it is empty."""
    written = row.get(column, "").lower()
    if written and written not in known:
        raise ValueError(f"unknown {column}")
    return known.get(written)
