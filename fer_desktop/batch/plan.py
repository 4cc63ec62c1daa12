"""Which recordings are analysed and what is written, as people chose and as ``fer-analyze`` is
told.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from fer_desktop.settings import Device

RESULTS = "analysis"  # the folder that is proposed, beside what is analysed
OVERVIEW = "all recordings.csv"  # in that folder, a row for each


@dataclass(frozen=True, slots=True)
class BatchPlan:
    named: tuple[Path, ...]  # files, and folders with all media in them
    out: Path  # the folder of the results
    formats: tuple[str, ...]  # beside JSON, which is always written: a stopped batch goes on by it
    each_face: bool = False  # and not the largest alone
    model: Path | None = None  # None: the bundled one
    device: Device = "auto"

    def arguments(self) -> list[str]:
        """Of ``fer-analyze``. What it finds done for the same content and model it leaves out."""
        formats = ",".join(dict.fromkeys((*self.formats, "json")))
        arguments = [*map(str, self.named), "--out", str(self.out), "--format", formats]
        arguments += ["--overview", str(self.out / OVERVIEW)]
        arguments += ["--face", "all" if self.each_face else "largest"]
        if self.model is not None:
            arguments += ["--model", str(self.model)]
        return [*arguments, "--device", self.device, "--resume", "--progress", "jsonl"]


def proposed_folder(first: Path) -> Path:
    """For the results of ``first``, a file or a folder, and of what is analysed with it."""
    return (first if os.path.isdir(first) else first.parent) / RESULTS
