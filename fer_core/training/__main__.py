"""``python -m fer_core.training``: what ``train.py`` does, also where only the packages are."""

from __future__ import annotations

import sys

from fer_core.training.command_line import main

if __name__ == "__main__":
    sys.exit(main())
