#!/usr/bin/env bash
# Installs the Debian/Ubuntu packages that pip cannot bring, or prints the one line to type.
#   system_packages.sh run [PACKAGE...]   what the program needs to open its window and to hear
#   system_packages.sh tests              what the end-to-end tests need: screen, sound, witness
# On other systems it does nothing: their wheels carry these libraries.
set -euo pipefail

command -v dpkg-query >/dev/null || exit 0

case "${1:?run or tests}" in
  run) packages=(
    libportaudio2 libasound2-plugins libpulse0 libegl1 libgl1 libgles2 libdbus-1-3 libxkbcommon-x11-0
    libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0
    libxcb-shape0 libxcb-xkb1 fonts-dejavu-core) ;;
  tests) packages=(xvfb xauth xdotool pulseaudio pulseaudio-utils libasound2-plugins strace) ;;
  *) echo "system_packages.sh: run or tests, not $1" >&2; exit 2 ;;
esac

missing=()
for package in "${packages[@]}" "${@:2}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

install=(apt-get install -y --no-install-recommends "${missing[@]}")
if [ "$(id -u)" -eq 0 ]; then
  as_root=(env DEBIAN_FRONTEND=noninteractive)
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
  as_root=(sudo DEBIAN_FRONTEND=noninteractive)
else
  as_root=()
fi

if [ ${#as_root[@]} -gt 0 ]; then
  echo "Installing system packages: ${missing[*]}"
  log=$(mktemp)
  if { "${as_root[@]}" apt-get update && "${as_root[@]}" "${install[@]}"; } >"$log" 2>&1; then
    rm -f "$log"
    exit 0
  fi
  tail -n 5 "$log" >&2
  rm -f "$log"
fi
echo "These system packages are missing. Type this line, then try again:" >&2
echo "  sudo apt-get update && sudo ${install[*]}" >&2
# Without the test packages the end-to-end test says that it is skipped; the rest still runs.
[ "$1" = tests ]
