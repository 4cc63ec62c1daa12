"""Arrays from an npz file, without ever unpickling anything."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_core.errors import UserError


def read_arrays(path: Path, *names: str) -> list[NDArray[Any]]:
    """The arrays called ``names``; the others in the file are not read.

    Raises:
        UserError: the file cannot be read or lacks one of them.
    """
    try:
        # Opened here, because numpy leaves a damaged file open.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return [file[name] for name in names]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"“{path}” does not hold the arrays {', '.join(names)}.", "Copy it again."
        ) from error
