"""The same work on a Ray cluster, one task for each file.

Every machine needs this program, and the files and folders under the same names, as on a network
drive. Ray reports how it is used unless it is told not to; a cluster that is started here is told.
"""

from __future__ import annotations

import os
import socket
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
NO_REPORTS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # Ray's own future, or it is announced each time
}
ANSWER_SECONDS = 5.0
NOWHERE = "http://127.0.0.1:9"
ALONE = {
    **NO_REPORTS,
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # then Ray stays on the loopback on every system
    # Also when it is not to report, Ray asks whether it runs in somebody's cloud.
    "http_proxy": NOWHERE,
    "https_proxy": NOWHERE,
    "no_proxy": "127.0.0.1,localhost",
}


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
    _check_answers(address)
    environment = ALONE if address == HERE else NO_REPORTS
    before = {name: os.environ.get(name) for name in environment}
    os.environ |= environment  # what Ray starts inherits it
    try:
        import ray

        quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
        if address == HERE:
            ray.init("local", include_dashboard=False, object_store_memory=STORE_BYTES, **quiet)
        else:
            ray.init(address, **quiet)
    except ImportError as error:
        raise UserError(
            "Ray is not installed, which --cluster needs.",
            "Install it: pip install 'fer-desktop[cluster]'.",
        ) from error
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
        with suppress(Exception):
            ray.shutdown()
        raise _no_answer(address) from error
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return ray


def _check_answers(address: str) -> None:
    """Ray itself would try for minutes.

    Raises:
        UserError: nobody answers at ``address``, if it names a host and a port.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        try:
            socket.create_connection((host, int(port)), ANSWER_SECONDS).close()
        except (OSError, OverflowError) as error:
            raise _no_answer(address) from error


def _no_answer(address: str) -> UserError:
    return UserError(
        f"No Ray cluster answers at {address}.",
        "Start one there with “ray start --head”, or use --cluster local.",
    )
