"""Files of a run, written so that a crash leaves the old one and never half of one."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fer_core.errors import UserError
from fer_core.whole_file import unwritable, write_whole

BLOCK_BYTES = 2**20
PROBE_BYTES = 64 * BLOCK_BYTES


def as_json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def write_json(value: Any, path: Path) -> None:
    """Raises:
    UserError: the folder cannot be written.
    """
    write_text(as_json(value), path)


def write_text(text: str, path: Path) -> None:
    """Raises:
    UserError: the folder cannot be written.
    """
    write_whole(text.encode(), path)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """No other process trains in ``folder`` meanwhile; the system lets go of it after a crash.

    Raises:
        UserError: another one does, or the folder cannot be written.
    """
    lock = FileLock(folder / "lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(
            f"Another training is at work in {folder}.", "Wait for it, or stop that one first."
        ) from error
    except NotImplementedError:  # a file system without locks
        pass
    except OSError as error:
        raise unwritable(folder / "lock", error) from error
    try:
        yield
    finally:
        lock.release()


def refuse_no_room(folder: Path, needed: int, option: str) -> None:
    """Notice before the first epoch what would end a run after it.

    Some bytes are really written: a quota, or a disk that cannot be written, is not to be seen
    otherwise. Checkpoints that are there already count as part of what is needed.

    Args:
        needed: bytes of all that will be written.
        option: of the command line, which names the folder.

    Raises:
        UserError: there is not enough room, or no right to write.
    """
    probe = folder / "probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with probe.open("wb") as file:
            for _ in range(math.ceil(min(needed, PROBE_BYTES) / BLOCK_BYTES)):
                file.write(bytes(BLOCK_BYTES))
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written: {error.strerror}.",
            f"Make room there, or name another folder with {option}.",
        ) from error
    finally:
        with suppress(OSError):
            probe.unlink()
    there = sum(path.stat().st_size for path in folder.rglob("*.ckpt"))
    if needed - there > free:
        raise UserError(
            f"{folder} has room for {free / 1e9:.1f} GB, and the run needs "
            f"{(needed - there) / 1e9:.1f} for its checkpoints.",
            f"Make room there, name another folder with {option}, or keep fewer, with "
            "--set training.save_every=20.",
        )
