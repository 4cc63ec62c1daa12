"""Files that are whole or not there: after a crash or on a full disk an old one is left."""

from __future__ import annotations

import os
import secrets
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
    # Others may write the same at once, and the name may be as long as a name can be.
    draft = path.with_name(f".draft-{os.getpid()}-{secrets.token_hex(4)}")
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
