"""Files of a run, written so that a crash leaves the old one and never half of one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from fer_core.errors import UserError


def write_json(value: Any, path: Path) -> None:
    """Raises:
    UserError: the folder cannot be written.
    """
    write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", path)


def write_text(text: str, path: Path) -> None:
    """Raises:
    UserError: the folder cannot be written.
    """
    draft = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {error.strerror}.",
            "Make room there, or name another folder with --out.",
        ) from error
