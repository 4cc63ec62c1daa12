"""What a file holds, as one name that is the same wherever it lies."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from fer_core.data.frame_folder import frame_paths
from fer_core.errors import UserError


def content_digest(path: Path) -> str:
    """SHA-256 of a file's content, or of a folder's frames in their order.

    Read again only when a size or time changed.

    Raises:
        UserError: it cannot be read.
    """
    if path.is_dir():
        digests = [content_digest(frame) for frame in frame_paths(path)]
        return hashlib.sha256("\n".join(digests).encode()).hexdigest()
    try:
        stat = path.stat()
        return _digest(path, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error


@cache
def _digest(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
