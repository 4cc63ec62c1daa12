"""A folder with the exported parts of a network, its configuration, and a README that explains."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from fer_core.errors import UserError
from fer_core.export.onnx_export import onnx_runner, quantise, save_onnx
from fer_core.export.parity import PROBABILITIES, Difference, differences
from fer_core.export.parts import Part, Runner, parts_of, traceable
from fer_core.export.torch_export import pt2_runner, save_pt2, trace
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.weights import CONFIG_NAME

Format = Literal["onnx", "pt2"]
FORMATS: tuple[Format, ...] = ("onnx", "pt2")
README_NAME = "README.txt"

TOLERANCE = 1e-4  # of float32, against the largest value of an output (at least 1); 2e-6 is usual
INT8_TOLERANCE = 0.1  # of a probability, in the whole chain


@dataclass(frozen=True, slots=True)
class FormReport:
    """What one form of the network weighs and how far its answers are from torch's."""

    form: str  # "ONNX", "ONNX int8" or "torch.export"
    files: tuple[tuple[str, int], ...]  # name and bytes
    differences: tuple[Difference, ...]

    @property
    def largest(self) -> float:
        """The largest difference of a probability."""
        return next(d.largest for d in self.differences if d.output == PROBABILITIES)


def export_model(
    model: MultimodalFER,
    folder: Path,
    formats: Sequence[Format] = FORMATS,
    int8: bool = False,
    tolerance: float = TOLERANCE,
    int8_tolerance: float = INT8_TOLERANCE,
) -> list[FormReport]:
    """Write ``model``, which is on the CPU, into ``folder`` and compare each form with it.

    ``int8`` adds ONNX files with int8 weights. Nothing is left in ``folder`` unless all is right.

    Raises:
        UserError: a form differs more than it may, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as name:
            draft = Path(name)
            reports = _write(model, draft, formats, int8)
            for report in reports:
                _refuse_if_wrong(report, tolerance, int8_tolerance)
            _describe(model, draft, reports)
            for path in draft.iterdir():
                os.replace(path, folder / path.name)
    except OSError as error:
        raise UserError(
            f"The model could not be exported to {folder}: {error}.",
            "Make room there or choose another folder.",
        ) from error
    return reports


def as_text(reports: Sequence[FormReport]) -> str:
    """A line for each file and each output, for a terminal."""
    lines = []
    for report in reports:
        lines.append(f"{report.form}: probabilities differ from torch's by {report.largest:.1e}")
        lines += [f"  {name:<28}{size / 1e6:>8.1f} MB" for name, size in report.files]
        for found in report.differences:
            label = f"{found.part} {found.output}"
            lines.append(f"  {label:<28}{found.largest:>11.1e} of {found.of:.3g}")
    return "\n".join(lines)


def _write(
    model: MultimodalFER, draft: Path, formats: Sequence[Format], int8: bool
) -> list[FormReport]:
    parts = parts_of(model)
    runners: dict[str, dict[str, Runner]] = {}
    files: dict[str, list[Path]] = {}

    def add(form: str, part: Part, path: Path, runner: Runner) -> None:
        runners.setdefault(form, {})[part.name] = runner
        files.setdefault(form, []).append(path)

    for part in parts:
        with traceable(model), torch.no_grad():
            program = trace(part)
        if "pt2" in formats:
            path = draft / f"{part.name}.pt2"
            save_pt2(program, path)
            add("torch.export", part, path, pt2_runner(program))
        if "onnx" in formats:
            path = draft / f"{part.name}.onnx"
            save_onnx(part, program, model.config, path)
            add("ONNX", part, path, onnx_runner(path))
            if int8:
                smaller = draft / f"{part.name}.int8.onnx"
                quantise(path, smaller)
                add("ONNX int8", part, smaller, onnx_runner(smaller))
    return [
        FormReport(
            form,
            tuple((path.name, path.stat().st_size) for path in files[form]),
            tuple(differences(parts, runners[form])),
        )
        for form in runners
    ]


def _refuse_if_wrong(report: FormReport, tolerance: float, int8_tolerance: float) -> None:
    for found in report.differences:
        if report.form == "ONNX int8":
            allowed = int8_tolerance if found.output == PROBABILITIES else float("inf")
        else:
            # Kept patches are judged by what becomes of them: two equally important may swap.
            allowed = tolerance * max(1.0, found.of) if found.output != "kept" else float("inf")
        if not found.largest <= allowed:  # also where it is NaN
            raise UserError(
                f"{report.form} does not give torch's answers: {found.output} of {found.part} "
                f"differ by {found.largest:.1e}, allowed are {allowed:.1e}. Nothing was written.",
                "Allow more with --tolerance, leave int8 out, or report this with the model.",
            )


def _describe(model: MultimodalFER, draft: Path, reports: Sequence[FormReport]) -> None:
    config = json.dumps(model.config.as_json(), indent=2) + "\n"
    (draft / CONFIG_NAME).write_text(config, encoding="utf-8")
    (draft / README_NAME).write_text(_readme(model, reports), encoding="utf-8")


def _readme(model: MultimodalFER, reports: Sequence[FormReport]) -> str:
    config = model.config
    lines = [
        f"The emotion recognition network {config.name!r} in three parts, exported by fer_desktop.",
        f"Trained: {(config.trained_on or 'never; its answers mean nothing').removesuffix('.')}.",
        "",
    ]
    for part in parts_of(model):
        lines.append(part.name)
        for kind, ports in (("in ", part.inputs), ("out", part.outputs)):
            lines += [f"  {kind} {p.name:<16}{p.shape:<28} {p.meaning}" for p in ports]
    lines += [
        "",
        "The clip is 3 s: 16 frames, one every 187.5 ms, and 8 segments of 375 ms. Run",
        "frame_encoder for each frame with a face, audio_encoder for the clip's sound, and",
        "decision on both.",
        "The answer is softmax(logits), temperatures being part of `decision`, in the order",
        f"  {', '.join(config.labels)}.",
        "The answer is uncertain where its largest probability is under",
        f"  {config.thresholds.uncertain_below}.",
        f"{CONFIG_NAME} has every threshold; `fer_core/preprocess/` makes the inputs.",
        "",
        "Compared with torch on random clips with hidden frames and segments:",
        as_text(reports),
        "",
    ]
    return "\n".join(lines)
