"""FSDP as this network needs it: each process keeps a part of weights, gradients and moments.

Y. Zhao et al.: PyTorch FSDP: Experiences on Scaling Fully Sharded Data Parallel, VLDB 2023.
"""

from __future__ import annotations

from typing import Any

from lightning.pytorch.plugins.precision import FSDPPrecision


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
