"""A part as a program of torch.export (``.pt2``), for AOTInductor, ExecuTorch and torch itself."""

from __future__ import annotations

import io
from pathlib import Path

import torch
from torch import Tensor
from torch.export import ExportedProgram

from fer_core.export.parts import BATCH, Part, Runner


def trace(part: Part) -> ExportedProgram:
    """``part`` as a graph that any batch size passes; call it within ``parts.traceable``."""
    batch = torch.export.Dim(BATCH)
    shapes = tuple({0: batch} for _ in part.example)
    return torch.export.export(part.module, part.example, dynamic_shapes=shapes)


def save_pt2(program: ExportedProgram, path: Path) -> None:
    """
    Raises:
        OSError: it cannot be written.
    """
    content = io.BytesIO()  # torch's own writer ends the process where the disk is full
    torch.export.save(program, content)
    path.write_bytes(content.getbuffer())


def pt2_runner(program: ExportedProgram) -> Runner:
    """What is in the file, without reading it back: ``torch.export.load`` unpickles."""
    graph = program.module()

    def run(*inputs: Tensor) -> tuple[Tensor, ...]:
        outputs: tuple[Tensor, ...] = graph(*inputs)
        return outputs

    return run
