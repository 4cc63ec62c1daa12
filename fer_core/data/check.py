"""What a corpus holds, what in it cannot be used and why: ``data check``, and before each training.

Three depths: ``names`` trusts the listing, ``headers`` opens every file, which tells lengths and
missing tracks (0.4 s for the 1,140 recordings of RAVDESS), ``contents`` decodes and hashes
everything.
"""

from __future__ import annotations

import hashlib
import statistics
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from fer_core.data.digest import content_digest
from fer_core.data.frame_folder import frame_paths
from fer_core.data.item import NEUTRAL_OR_CALM, Corpus, Item, Problem
from fer_core.data.media_info import Tracks
from fer_core.data.media_sound import read_sound
from fer_core.data.recording import recording_frames, recording_tracks
from fer_core.data.stills import pictures_of, read_still
from fer_core.errors import UserError
from fer_core.labels import EMOTIONS

Depth = Literal["names", "headers", "contents"]
SHORTEST_SECONDS = 0.065  # of sound: the window in which its pitch is looked for is 64 ms
SHOWN = 3  # of the files with one problem, in text


@dataclass(frozen=True, slots=True)
class Checked:
    """A corpus without what turned out to be unusable, and what was counted."""

    corpus: Corpus
    depth: Depth
    lengths_s: tuple[float, ...] | None  # of the recordings; None where no file was opened
    sha256: str  # of the labels, and of names and sizes, or at depth ``contents`` of the files

    def as_text(self) -> str:
        """A table for a terminal."""
        facts = self.as_json()
        speakers, lengths = facts["speakers"], facts["lengths"]
        rows = [
            ("folder", f"{self.corpus.folder} ({facts['licence']})"),
            ("usable", _counted({"recordings": facts["recordings"], "stills": facts["stills"]})),
            ("modality", _counted(facts["modalities"])),
            ("emotion", _counted(facts["emotions"])),
        ]
        if facts["not_scored"]:
            rows.append(("scored", f"{facts['items'] - facts['not_scored']:,}, the others train"))
        if speakers:
            each = sorted({min(speakers.values()), max(speakers.values())})
            rows.append(
                (
                    "speakers",
                    f"{len(speakers)} ({_counted(facts['sexes'])}), "
                    f"{' to '.join(f'{count:,}' for count in each)} items each",
                )
            )
        if facts["splits"]:
            rows.append(("split", _counted(facts["splits"])))
        if lengths:
            rows.append(
                (
                    "length",
                    f"{lengths['total_s'] / 3600:.2f} h; {lengths['shortest_s']:.1f} to "
                    f"{lengths['longest_s']:.1f} s, median {lengths['median_s']:.1f} s",
                )
            )
        rows.append(("sha256", f"{self.sha256[:16]} (of {facts['hash_of']})"))
        rows.append(("left out", f"{len(self.corpus.problems):,}"))
        lines = [f"{self.corpus.name}"] + [f"  {name:<10}{value}" for name, value in rows]
        for reason, where in facts["problems"].items():
            some = ", ".join(where[:SHOWN]) + (" ..." if len(where) > SHOWN else "")
            lines.append(f"    {len(where):>6,}  {reason}: {some}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """The same for programs, with every problem."""
        items = self.corpus.items
        problems: dict[str, list[str]] = {}
        for reason, _ in Counter(problem.reason for problem in self.corpus.problems).most_common():
            problems[reason] = [p.where for p in self.corpus.problems if p.reason == reason]
        emotions = Counter(_emotion_name(item) for item in items)
        sex_of = {item.speaker: item.sex for item in items if item.speaker is not None}
        return {
            "corpus": self.corpus.name,
            "folder": str(self.corpus.folder),
            "licence": self.corpus.licence,
            "items": len(items),
            "recordings": sum(item.kind == "recording" for item in items),
            "stills": sum(item.kind == "still" for item in items),
            "not_scored": sum(not item.scored for item in items),
            "modalities": _sorted_counts(_modality(item) for item in items),
            "emotions": {name: emotions[name] for name in (_EITHER, *EMOTIONS) if emotions[name]},
            "speakers": _sorted_counts(i.speaker for i in items if i.speaker is not None),
            "sexes": _sorted_counts(sex or "unknown" for sex in sex_of.values()),
            "splits": _sorted_counts(_official(item) for item in items if _official(item)),
            "lengths": None
            if not self.lengths_s
            else {
                "total_s": sum(self.lengths_s),
                "shortest_s": min(self.lengths_s),
                "median_s": statistics.median(self.lengths_s),
                "longest_s": max(self.lengths_s),
            },
            "sha256": self.sha256,
            "hash_of": "labels and contents"
            if self.depth == "contents"
            else "labels, names and sizes",
            "problems": problems,
        }


def check(
    corpus: Corpus, depth: Depth = "names", on_item: Callable[[int, int], None] | None = None
) -> Checked:
    """Look at ``corpus`` as deeply as asked; what cannot be used becomes a problem.

    ``on_item`` is told how many items are done, and of how many.

    Raises:
        UserError: nothing usable is left.
    """
    usable, problems, lengths = list(corpus.items), list(corpus.problems), None
    if depth != "names":
        usable, lengths = [], []
        tracks_once, pictures_once = cache(recording_tracks), cache(_pictures)
        for done, item in enumerate(corpus.items, start=1):
            try:
                length_s = _length(item, tracks_once, pictures_once)
                if depth == "contents":
                    _decode(item)
            except _Unusable as reason:
                problems.append(Problem(item.key, str(reason)))
            else:
                usable.append(item)
                if length_s is not None:
                    lengths.append(length_s)
            if on_item is not None:
                on_item(done, len(corpus.items))
    if not usable:
        raise UserError(
            f"Nothing in “{corpus.folder}” can be used: {problems[-1].reason}.",
            "Copy the corpus again.",
        )
    left = replace(corpus, items=tuple(usable), problems=tuple(problems))
    return Checked(
        left,
        depth,
        None if lengths is None else tuple(lengths),
        content_hash(left, deep=depth == "contents"),
    )


def content_hash(corpus: Corpus, deep: bool = False) -> str:
    """SHA-256 of what is learned from ``corpus``, the same wherever it lies.

    Of each item's name, label, speaker and part, and of its files' sizes, or, if ``deep``, of what
    is in them.
    """
    mark = cache(content_digest if deep else _size)
    whole = hashlib.sha256()
    for item in sorted(corpus.items, key=lambda item: item.key):
        fields: tuple[object, ...] = (
            item.key,
            item.shares,
            item.groups,
            item.speaker,
            (item.start_s, item.end_s, item.index),
            (item.official_split, item.official_fold, item.scored),
            mark(item.path),
            mark(item.sound_path) if item.sound_path is not None else "",
        )
        if item.frame_rate is not None:
            fields += (item.frame_rate,)
        whole.update(repr(fields).encode())
    return whole.hexdigest()


class _Unusable(Exception):
    """Why, in words that can be counted."""


def _pictures(path: Path) -> int:
    """How many there are in a file of many; none if it is damaged, however often it is asked."""
    try:
        return len(pictures_of(path))
    except UserError:
        return 0


def _length(
    item: Item,
    tracks_once: Callable[[Path, float | None], Tracks],
    pictures_once: Callable[[Path], int],
) -> float | None:
    """In seconds, of a recording.

    Raises:
        _Unusable: it cannot be opened, or lacks what the listing promised.
    """
    try:
        if item.kind == "still":
            if item.path.suffix == ".npz" and item.index >= pictures_once(item.path):
                raise _Unusable("cannot be opened")
            return None
        whole = tracks_once(item.path, item.frame_rate)
        sound = whole if item.sound_path is None else tracks_once(item.sound_path, None)
    except UserError as error:
        raise _Unusable("cannot be opened") from error
    if item.has_sound and not sound.has_sound:
        raise _Unusable("no sound track")
    if item.has_picture and not whole.has_picture:
        raise _Unusable("no picture")
    if whole.duration_s <= item.start_s and item.start_s:
        raise _Unusable("starts after the file's end")
    end_s = whole.duration_s if item.end_s is None else min(item.end_s, whole.duration_s)
    if item.has_sound and min(end_s, sound.duration_s) - item.start_s < SHORTEST_SECONDS:
        raise _Unusable("shorter than 65 ms")
    if end_s <= item.start_s:
        raise _Unusable("holds nothing")
    return end_s - item.start_s


def _decode(item: Item) -> None:
    """Decode all of ``item``.

    Raises:
        _Unusable: something of it is damaged.
    """
    damage: list[str] = []
    try:
        if item.kind == "still":
            read_still(item)
            return
        if item.has_sound:
            path = item.sound_path or item.path
            if not read_sound(path, item.start_s, item.end_s, damage.append).size:
                damage.append("no sound in its sound track")
        if item.has_picture and not sum(1 for _ in recording_frames(item, damage.append)):
            damage.append("no frame in its picture")
    except UserError as error:
        raise _Unusable("cannot be opened") from error
    if damage:
        raise _Unusable(f"damaged: {damage[0]}")


def _size(path: Path) -> str:
    """In bytes; of a folder of frames, that of each."""
    files = frame_paths(path) if path.is_dir() else [path]
    return " ".join(str(file.stat().st_size) for file in files)


# Counting

_EITHER = "neutral or calm"


def _emotion_name(item: Item) -> str:
    name = EMOTIONS[item.emotion]
    return _EITHER if name == "neutral" and item.groups == NEUTRAL_OR_CALM else name


def _modality(item: Item) -> str:
    if item.has_sound and item.has_picture:
        return "sound and picture"
    return "sound" if item.has_sound else "picture"


def _official(item: Item) -> str:
    if item.official_fold is not None:
        return f"fold {item.official_fold}"
    return item.official_split or ""


def _sorted_counts(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
