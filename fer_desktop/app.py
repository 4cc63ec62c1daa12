"""``fer-desktop`` from its options to its exit status."""

from __future__ import annotations

import signal
import sys

from fer_core.errors import UserError
from fer_desktop.command_line import parse_arguments
from fer_desktop.display import check_display


def main(arguments: list[str] | None = None) -> int:
    """Run the program and return its exit status.

    Qt is imported only here, so that ``--help`` and wrong values are answered at once.
    """
    options = parse_arguments(arguments)
    # Until the window can answer Ctrl-C, it ends the process at once, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        if options.diagnose:
            from fer_desktop.diagnosis import print_diagnosis

            return print_diagnosis(options)
        check_display()
        from fer_desktop.program import run

        return run(options)
    except UserError as error:
        print(f"fer-desktop: {error}", file=sys.stderr)
        return 1
