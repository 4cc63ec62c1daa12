"""Train, measure and export the network: ``python train.py --help``."""

from __future__ import annotations

import sys

from fer_core.training.command_line import main

if __name__ == "__main__":
    sys.exit(main())
