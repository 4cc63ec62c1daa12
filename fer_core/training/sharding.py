"""FSDP as this network needs it: each process keeps a part of weights, gradients and moments.

Y. Zhao et al.: PyTorch FSDP: Experiences on Scaling Fully Sharded Data Parallel, VLDB 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lightning.pytorch.plugins.precision import FSDPPrecision

from fer_core.device import resolve_device
from fer_core.errors import UserError
from fer_core.training.config import RunConfig, StageName

SHARDED_ON = ("cuda",)  # on CPUs nobody has so large a network


def refuse_unshardable(config: RunConfig, stages: Sequence[StageName], device: str) -> None:
    """Before anything is trained.

    Raises:
        UserError: there are no GPUs, or an average of the weights is asked for.
    """
    if resolve_device(device) not in SHARDED_ON:
        raise UserError("fsdp needs GPUs.", "Use --strategy ddp.")
    averaged = [stage for stage in stages if config.of_stage(stage).ema and stage != "fusion"]
    if averaged:
        without = " ".join(f"--set stages.{stage}.ema=0" for stage in averaged)
        raise UserError(
            "With fsdp no average of the weights can be kept.",
            f"Add {without}, or use --strategy ddp.",
        )


class ShardedPrecision(FSDPPrecision):
    """Single precision or autocast, as with one process."""

    def convert_input(self, data: Any) -> Any:
        """As it is: Lightning cannot look into frozen dataclasses, and all floats are single."""
        return data

    def convert_output(self, data: Any) -> Any:
        return data

    @property
    def mixed_precision_config(self) -> None:  # type: ignore[override]
        """Weights and buffers stay single: means of spectra and of batches need their digits."""
        return None
