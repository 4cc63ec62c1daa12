"""``python -m fer_desktop`` is ``fer-desktop``."""

import sys

from fer_desktop.app import main

sys.exit(main())
