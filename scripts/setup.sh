#!/usr/bin/env bash
# Makes the virtual environment $1 and installs the project with its pinned dependencies into it.
set -euo pipefail

venv=${1:?folder of the virtual environment}
python=${PYTHON:-python3}
started=$SECONDS

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "Python 3.11 or newer is needed; '$python' is $("$python" --version 2>&1 || echo missing)." >&2
  echo "Name another one with: make PYTHON=python3.12 setup" >&2
  exit 1
fi

cat <<TEXT
Setting up in $venv, once: about 3.6 GB to download, 8 GB on disk (most of it torch's CUDA
libraries, which its Linux package brings along). It takes minutes: 1.5 with a very fast connection.
TEXT

free_mb=$(df -Pm . | awk 'NR == 2 {print $4}')
if [ ! -e "$venv/bin/python" ] && [ "$free_mb" -lt 10000 ]; then
  echo "Only $free_mb MB are free here; set-up needs 10 GB while it works. Make room, then try again." >&2
  exit 1
fi

# Debian and Ubuntu keep what makes virtual environments in a package of its own.
extra=()
"$python" -c 'import ensurepip' 2>/dev/null ||
  extra=("$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')")
bash "$(dirname "$0")/system_packages.sh" run "${extra[@]}"

# A virtual environment whose Python has gone cannot be mended, only made again.
[ -e "$venv" ] && ! "$venv/bin/python" -c '' 2>/dev/null && rm -rf "$venv"
[ -e "$venv" ] || "$python" -m venv "$venv"

"$venv/bin/python" -m pip install --disable-pip-version-check --quiet --progress-bar on \
  --constraint constraints.txt --editable '.[dev,cluster]'
echo "Set up in $((SECONDS - started)) s."
