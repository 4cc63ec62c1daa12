"""``python -m benchmarks``: print the figures; the exit status is 1 when a target is missed."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from datetime import date
from pathlib import Path

from benchmarks import files, latency, network, preview, seeking, soak, start, timeline, training

MEASURED = {
    "start": start.measure,
    "preview": preview.measure,
    "latency": latency.measure,
    "network": network.measure,
    "training": training.measure,
    "timeline": timeline.measure,
    "seeking": seeking.measure,
    "files": files.measure,
    "soak": soak.measure,
}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    made.add_argument("what", nargs="?", default="all", choices=[*MEASURED, "all"])
    made.add_argument("--seconds", type=float, help="how long each is watched")
    made.add_argument("--clip", type=Path, help="files: a clip of people, in place of a drawing")
    return made


def main() -> int:
    options = parser().parse_args()
    load = os.getloadavg()[0]
    print(f"{date.today()}, {platform.platform()}, {os.cpu_count()} cores, load {load:.1f}")
    missed = 0
    for name, measure in MEASURED.items():
        if options.what not in (name, "all"):
            continue
        print(f"{name}: {measure.__doc__}", flush=True)
        chosen = {} if options.seconds is None else {"seconds": options.seconds}
        if measure is files.measure:
            chosen["clip"] = options.clip
        figures = measure(**chosen)
        print(*figures, sep="\n", flush=True)
        missed += sum(figure.met is False for figure in figures)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
