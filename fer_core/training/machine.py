"""What a run runs on: processors, processes, and how it tells of itself."""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from lightning.pytorch.strategies import StrategyRegistry

from fer_core.device import resolve_device
from fer_core.errors import UserError
from fer_core.training.counting import Count, Counter, bar, lines, silent
from fer_core.training.progress import ProgressKind
from fer_core.training.sharding import ShardedPrecision

LogKind = Literal["tensorboard", "csv", "wandb"]


@dataclass(frozen=True)
class Machine:
    """Where and how, none of which changes what is learnt but in the last digits."""

    device: str = "auto"
    devices: int = 1  # processes on each node
    nodes: int = 1
    strategy: str = "auto"  # of Lightning: ddp, fsdp ...
    workers: int = 0  # processes that prepare batches
    progress: ProgressKind = "bar"
    log: LogKind = "tensorboard"

    @property
    def processes(self) -> int:
        return self.devices * self.nodes

    @property
    def shards(self) -> bool:
        """Whether each process keeps a part of the weights."""
        return self.processes > 1 and self.strategy == "fsdp"

    @property
    def rank(self) -> int:
        """Of this process among all, as torchrun, Slurm or Lightning's launcher say it."""
        if self.processes == 1:
            return 0
        for name in ("RANK", "SLURM_PROCID"):
            if name in os.environ:
                return int(os.environ[name])
        node = int(os.environ.get("NODE_RANK", 0))
        return node * self.devices + int(os.environ.get("LOCAL_RANK", 0))

    def leave_group_at_exit(self) -> None:
        """Part from the other processes before the interpreter ends.

        Lightning does so for NCCL alone; gloo's threads, still holding tensors by then, would at
        times abort the process whose work is done.
        """
        if self.processes > 1:
            atexit.register(_leave_group)

    def count(self, what: str) -> Counter:
        """Told how much of ``what`` is done, it tells of it; the first process alone does."""
        counters: dict[ProgressKind, Count] = {"bar": bar, "jsonl": lines, "none": silent}
        return silent(what) if self.rank else counters[self.progress](what)

    def trainer_arguments(self, precision: str) -> dict[str, Any]:
        """For ``lightning.Trainer``.

        Raises:
            UserError: the device does not exist here, or there is no such strategy.
        """
        device = resolve_device(self.device)
        if self.strategy not in ("auto", *StrategyRegistry.available_strategies()) or (
            self.strategy == "fsdp_cpu_offload"  # which nobody has made work here
        ):
            raise UserError(
                f"There is no strategy {self.strategy!r}.",
                "Leave out --strategy, or name one such as ddp or fsdp.",
            )
        if precision == "auto":
            precision = "bf16" if _multiplies_bf16(device) else "32"
        name: Any = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}[precision]
        precise = {"plugins": [ShardedPrecision(name)]} if self.shards else {"precision": name}
        return {
            **precise,
            "accelerator": {"cuda": "gpu"}.get(device, device),
            "devices": self.devices,
            "num_nodes": self.nodes,
            "strategy": self._strategy,
            "deterministic": device == "cpu",
            # Its statistics would else be those of each GPU's own share of a batch. On CPUs they
            # are: torch has no such norm for them.
            "sync_batchnorm": self.processes > 1 and device == "cuda",
        }

    @property
    def _strategy(self) -> str:
        """DDP that does not wait for the gradients of a branch of which a batch shows nothing."""
        if self.processes > 1 and self.strategy in ("auto", "ddp"):
            return "ddp_find_unused_parameters_true"
        return "auto" if self.strategy == "fsdp" and not self.shards else self.strategy

    def loader_arguments(self) -> dict[str, Any]:
        """For ``DataLoader``."""
        return {
            "num_workers": self.workers,
            "persistent_workers": self.workers > 0,
            "multiprocessing_context": "spawn" if self.workers else None,
        }

    def loggers(self, folder: Path) -> list[Logger]:
        """The one asked for, into ``folder``.

        Raises:
            UserError: Weights & Biases is asked for and not installed.
        """
        if self.log == "csv":
            return [CSVLogger(folder, name="csv")]  # a file for each time the stage was begun
        if self.log == "tensorboard":
            return [TensorBoardLogger(folder, name="", version="tensorboard")]
        try:
            from lightning.pytorch.loggers import WandbLogger

            return [WandbLogger(save_dir=folder)]
        except ImportError as error:
            raise UserError(
                "Weights & Biases is not installed.",
                "Run `pip install wandb`, or leave out --log wandb.",
            ) from error


def _multiplies_bf16(device: str) -> bool:
    """Whether bf16 is faster than single precision, which without instructions for it is slower."""
    if device == "cpu":
        can = torch.cpu.get_capabilities()
        return bool(can.get("avx512_bf16") or can.get("amx_bf16"))
    # Emulated on GPUs before Ampere, where it is slower than single precision.
    return device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def _leave_group() -> None:
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
