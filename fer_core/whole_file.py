"""Files that are whole or not there: after a crash or on a full disk an old one is left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fer_core.errors import UserError


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A draft beside ``path`` to be written, which takes its place when all went well.

    Raises:
        OSError: the folder cannot be made or written.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}")  # other processes may write the same
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def write_whole(content: bytes, path: Path) -> None:
    """Raises:
    UserError: the folder cannot be written.
    """
    try:
        with whole(path) as draft:
            draft.write_bytes(content)
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> UserError:
    """What to say when ``path`` cannot be written."""
    return UserError(
        f"“{path}” cannot be written: {error.strerror}.",
        "Make room there, or choose another folder.",
    )
