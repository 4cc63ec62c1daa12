#!/usr/bin/env bash
# Starts the program; on a Linux machine without a display it runs the demo offscreen instead and
# leaves a picture of the window and its predictions in out/.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python

if [ "$(uname)" != Linux ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || [ $# -gt 0 ]; then
  exec "$python" -m fer_desktop "$@"
fi

mkdir -p out
QT_QPA_PLATFORM=offscreen "$python" -m fer_desktop --demo --exit-after 15 \
  --screenshot out/demo.png --report out/demo.json
echo "No display here: the demo ran offscreen and left out/demo.png (the window) and out/demo.json (the predictions)."
