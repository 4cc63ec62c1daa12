"""Files that are whole or not there."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from fer_core.errors import UserError


def write_whole(content: bytes, path: Path) -> None:
    """Write by rename: after a crash or on a full disk an old file is left, never half of one.

    Raises:
        UserError: the folder cannot be written.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content)
        os.replace(draft, path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise UserError(
            f"{path} cannot be written: {error.strerror}.",
            "Make room there, or name another folder with --out.",
        ) from error
