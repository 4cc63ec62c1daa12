"""What the analysis of a file leaves on the disk: its names, the order of writing, and what of it
is there already.

``a.json`` is the largest face's; with faces by number each has its own (``a.face-0.json``), and
one video, ``a.mp4``, shows all. JSON comes last, and face 0 last of all: where that lies, all
others do. It names the files that say the same as it does: beside them may lie those of a call with
another hop, or of one that was ended while it wrote.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, Self

from fer_core.analysis.export import OVERLAY, export
from fer_core.analysis.export.json_document import encoded
from fer_core.analysis.export.overlay_video import overlay_video
from fer_core.analysis.identities import FaceChoice
from fer_core.analysis.inputs import Job
from fer_core.analysis.timeline import SCHEMA, Timeline
from fer_core.data.digest import content_digest
from fer_core.errors import UserError
from fer_core.whole_file import unwritable, write_whole

PROBE_BYTES = 2**16  # more than a full disk still takes in the rest of a block


def result_path(job: Job, format_name: str, face_id: int | None = None) -> Path:
    face = "" if face_id is None else f".face-{face_id}"
    return job.result.with_name(f"{job.result.name}{face}.{format_name}")


def write_results(
    job: Job,
    timelines: Sequence[Timeline],
    formats: Sequence[str],
    face: FaceChoice,
    sound_track: int | None = None,
    on_drawn: Callable[[float], None] = lambda _: None,
) -> None:
    """Each by rename; faces of an earlier call that are no more are removed.

    ``on_drawn`` is told how many seconds of the video are done.

    Raises:
        UserError: the folder cannot be written, or the file cannot be read any more for the video.
    """
    written = {t.face_id: _names(job, formats, face, t.face_id) for t in timelines}
    still = _take_back(job, timelines, set().union(*written.values()))
    for name in formats:
        if name not in ("json", OVERLAY):
            for timeline in timelines:
                export(timeline, result_path(job, name, timeline.face_id))
    if OVERLAY in formats:
        path = result_path(job, OVERLAY, None if face == "all" else timelines[0].face_id)
        for done_s in overlay_video(timelines, path, sound_track):
            on_drawn(done_s)
    if face == "all":
        faces = len(timelines) if timelines[0].face_id is not None else 0
        for name in formats:
            _remove_from(job, name, faces)
    if "json" in formats:
        for timeline in reversed(timelines):
            number = timeline.face_id
            files = tuple(sorted(written[number] | still[number]))
            export(replace(timeline, files=files), result_path(job, "json", number))


def _names(job: Job, formats: Sequence[str], face: FaceChoice, face_id: int | None) -> set[str]:
    """Of the files that go with the document of a face."""
    numbers = {name: None if face == "all" and name == OVERLAY else face_id for name in formats}
    return {result_path(job, name, number).name for name, number in numbers.items()}


def _take_back(
    job: Job, timelines: Sequence[Timeline], names: set[str]
) -> dict[int | None, set[str]]:
    """From the documents of other calls, the names of those files that are now written anew.

    Returns the files that an earlier call wrote of each of ``timelines``, and that stay right.
    """
    anew = {timeline.face_id: timeline for timeline in timelines}
    still: dict[int | None, set[str]] = {number: set() for number in anew}
    for number in {None, *range(len(_numbered(job))), *anew}:
        path = result_path(job, "json", number)
        document = _document(path)
        if document is None:
            continue
        files = set(document["files"])
        if number in anew and _says_the_same(document, anew[number]):
            still[number] = files
        elif files & names:
            write_whole(encoded(document | {"files": sorted(files - names)}), path)
    return still


def _says_the_same(document: dict[str, Any], timeline: Timeline) -> bool:
    made = Made(SCHEMA, timeline.model.sha256, timeline.hop_s, timeline.only, timeline.sound_track)
    return Made.of(document) == made and document["source"]["sha256"] == timeline.source.sha256


@dataclass(frozen=True, slots=True)
class Made:
    """What the results of a file depend on beside the file and the choice of faces."""

    schema: int
    model_sha256: str
    hop_s: float
    only: str | None
    sound_track: int | None

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        return cls(
            document["schema"],
            document["model"]["sha256"],
            document["hop_s"],
            document.get("only"),
            document.get("sound_track"),
        )


def complete_results(
    job: Job, formats: Sequence[str], face: FaceChoice, made: Made
) -> list[dict[str, Any]] | None:
    """The documents of an earlier call, if it did all that this one would do; JSON among it.

    Raises:
        UserError: the media file cannot be read.
    """
    documents = _documents(job, face)
    if not documents or any(Made.of(document) != made for document in documents):
        return None
    digest = content_digest(job.path)
    if any(document["source"]["sha256"] != digest for document in documents):
        return None
    for document in documents:
        names = _names(job, formats, face, document.get("face_id"))
        there = all(job.result.with_name(name).is_file() for name in names)
        if not there or not names <= set(document["files"]):
            return None
    return documents


def check_writable(folder: Path) -> None:
    """Whether files can be made in ``folder``, which need not be there yet; nothing is left.

    Raises:
        UserError: they cannot.
    """
    there = folder
    try:
        while not there.exists() and there != there.parent:
            there = there.parent
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(os.urandom(PROBE_BYTES))
            file.flush()
    except OSError as error:
        raise unwritable(folder, error) from error


def check_spared(jobs: Sequence[Job], formats: Sequence[str]) -> None:
    """Whether no result takes the place of a file that is to be analysed.

    Raises:
        UserError: one would.
    """
    files = {_file_key(job.path): job.path for job in jobs}
    # Of the faces' numbers only those matter that stand in the name of such a file.
    numbers = {int(n) for path in files.values() for n in re.findall(r"\.face-(\d+)", path.name)}
    for job in jobs:
        for name in formats:
            for face_id in (None, *numbers):
                path = result_path(job, name, face_id)
                if (key := _file_key(path)) is not None and (file := files.get(key)) is not None:
                    raise UserError(
                        f"The results of “{job.path}” would take the place of “{file}” itself.",
                        f"Choose another folder for the results, or leave {name} out.",
                    )


def check_overview(path: Path, jobs: Sequence[Job], formats: Sequence[str]) -> None:
    """Whether the table of all files can be written, and takes nobody's place.

    Raises:
        UserError: it cannot, or would.
    """
    check_writable(path.parent)
    taken = {_file_key(job.path) for job in jobs} - {None}
    results = {result_path(job, name).absolute() for job in jobs for name in formats}
    results |= {folder for result in results for folder in result.parents}  # some not there yet
    try:
        is_folder = path.is_dir()
    except OSError as error:  # a name that no file can have
        raise unwritable(path, error) from error
    if is_folder or _file_key(path) in taken or path.absolute() in results:
        raise UserError(f"The overview cannot be “{path}”, which is taken.", "Name another file.")


def _file_key(path: Path) -> tuple[int, int] | None:
    """Of one file under all its names; None where there is none."""
    with suppress(OSError):
        found = path.stat()
        return found.st_dev, found.st_ino
    return None


def _documents(job: Job, face: FaceChoice) -> list[dict[str, Any]]:
    """Those in the places where this choice of faces puts them; of damaged ones none."""
    if face == "all":
        found = _numbered(job)
        if found:
            return found if len(found) == found[0].get("faces") else []
        # Where nobody is seen there is one, of the sound alone.
        alone = _document(result_path(job, "json"))
        return [alone] if alone is not None and alone["summary"]["face_s"] == 0 else []
    found_one = _document(result_path(job, "json", None if face == "largest" else face))
    return [] if found_one is None else [found_one]


def _numbered(job: Job) -> list[dict[str, Any]]:
    """The documents of faces by number, from 0 to the first that is missing."""
    found: list[dict[str, Any]] = []
    while (document := _document(result_path(job, "json", len(found)))) is not None:
        found.append(document)
    return found


def _document(path: Path) -> dict[str, Any] | None:
    """None if there is none that can be read, or only one that was written by itself or before
    summaries had shares.
    """
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        Made.of(document)
        document["source"]["sha256"], document["summary"]["certain"], set(document["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return document


def _remove_from(job: Job, format_name: str, first: int) -> None:
    for face_id in count(first):
        path = result_path(job, format_name, face_id)
        if not path.exists():
            return
        try:
            path.unlink()
        except OSError as error:
            raise unwritable(path, error) from error
