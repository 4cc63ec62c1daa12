"""Arrays from an npz file, without ever unpickling anything."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_core.errors import UserError

_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    NotImplementedError,  # a flipped bit names another compression
    zipfile.BadZipFile,
    zlib.error,
)


def read_arrays(path: Path, *names: str) -> list[NDArray[Any]]:
    """The arrays called ``names``; the others in the file are not read.

    Raises:
        UserError: the file cannot be read or lacks one of them.
    """
    try:
        # Opened here, because numpy leaves a damaged file open.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return [file[name] for name in names]
    except _UNREADABLE as error:
        raise UserError(
            f"“{path}” does not hold the arrays {', '.join(names)}.", "Copy it again."
        ) from error


def length_of_array(path: Path, name: str) -> int:
    """How long the array called ``name`` is, from its header: nothing else of it is read.

    Raises:
        UserError: the file cannot be read or lacks it.
    """
    try:
        with zipfile.ZipFile(path) as file, file.open(f"{name}.npy") as array:
            version = np.lib.format.read_magic(array)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            return int(read(array)[0][0])
    except (*_UNREADABLE, IndexError) as error:
        raise UserError(f"“{path}” does not hold the array {name}.", "Copy it again.") from error
