"""The same work on a Ray cluster, one task for each file.

Every machine needs this program, and the files and folders under the same names, as on a network
drive. Ray reports how it is used unless it is told not to: what is started here does not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from fer_core.analysis.batch import Outcome, Recipe, run_here
from fer_core.analysis.inputs import Job
from fer_core.analysis.model import LoadedModel
from fer_core.errors import UserError

HERE = "local"  # the address of a cluster of this machine alone, for as long as it works
STORE_BYTES = 2**27  # of Ray's shared memory; what tasks return is small


def run_on_cluster(
    jobs: Sequence[Job],
    folder: Path | None,
    device: str,
    recipe: Recipe,
    address: str,
    at_most: int | None = None,
) -> Iterator[Outcome]:
    """The outcomes as they come.

    Args:
        address: ``local``, ``auto``, ``HOST:PORT`` or ``ray://HOST:PORT``.
        at_most: files at once; by default as many as the cluster has processors.

    Raises:
        UserError: Ray is not installed, no cluster answers, or the model cannot be used.
    """
    LoadedModel.load(folder, "cpu")  # what is wrong with it is said once, before anything is done
    ray = _joined(address)
    try:
        task = ray.remote(num_cpus=1, num_gpus=int(device == "cuda"), max_retries=1)(run_here)
        where = None if folder is None else folder.resolve()
        rest = iter(jobs)
        running: dict[Any, Job] = {}
        while True:
            while at_most is None or len(running) < at_most:
                job = next(rest, None)
                if job is None:
                    break
                there = replace(job, path=job.path.resolve(), result=job.result.resolve())
                running[task.remote(there, where, device, recipe)] = job
            if not running:
                return
            (done,), _ = ray.wait(list(running))
            job = running.pop(done)
            try:
                yield replace(ray.get(done), job=job)
            except ray.exceptions.RayError as error:
                reason = str(error).strip().partition("\n")[0]
                yield Outcome(job, error=f"The cluster did not finish it: {reason}")
    finally:
        ray.shutdown()


def _joined(address: str) -> Any:
    """Ray's module, connected."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # Ray's own future, announced at each start.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise UserError(
            "Ray is not installed, which --cluster needs.",
            "Install it: pip install 'fer-desktop[cluster]'.",
        ) from error
    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
    try:
        if address == HERE:
            # By the loopback alone, and without the dashboard, which listens and reports.
            ray.init(
                "local",
                include_dashboard=False,
                object_store_memory=STORE_BYTES,
                _node_ip_address="127.0.0.1",
                **quiet,
            )
        else:
            ray.init(address, **quiet)
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
        with suppress(Exception):
            ray.shutdown()
        reason = str(error).strip().partition("\n")[0]
        raise UserError(
            f"No Ray cluster answers at {address}: {reason}", "Start one there, or use local."
        ) from error
    return ray
