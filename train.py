"""Train, measure and export the network: ``python train.py --help``."""

from __future__ import annotations

import os
import sys

# Before torch loads: threads that wait for each other must not spin where cores are few.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

from fer_core.training.command_line import main

if __name__ == "__main__":
    sys.exit(main())
