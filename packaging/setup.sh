#!/usr/bin/env bash
# Set up everything that the program needs, once: system libraries, a virtual environment, the pinned packages.
# Quick when nothing has changed. Usage: packaging/setup.sh [VENV]
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-.venv}

say() { printf '%s\n' "$*" >&2; }

find_python() {
    for python in python3.11 python3.12 python3.13 python3; do
        if command -v "$python" >/dev/null && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            echo "$python"
            return
        fi
    done
    say "Python 3.11 or newer is needed. Install it (on Debian: apt-get install python3 python3-venv)."
    exit 1
}

missing_packages() {
    local libraries
    libraries=$(/sbin/ldconfig -p)
    # What Qt's xcb platform loads, the virtual X server, and fonts, as library or command : Debian package.
    for pair in libEGL.so.1:libegl1 libGL.so.1:libgl1 libxkbcommon-x11.so.0:libxkbcommon-x11-0 \
        libxcb-cursor.so.0:libxcb-cursor0 libxcb-icccm.so.4:libxcb-icccm4 libxcb-keysyms.so.1:libxcb-keysyms1 \
        libxcb-shape.so.0:libxcb-shape0 libxcb-randr.so.0:libxcb-randr0 libxcb-xinerama.so.0:libxcb-xinerama0 \
        libxcb-render-util.so.0:libxcb-render-util0 libxcb-image.so.0:libxcb-image0 libdbus-1.so.3:libdbus-1-3 \
        libfontconfig.so.1:libfontconfig1 libglib-2.0.so.0:libglib2.0-0 libgomp.so.1:libgomp1; do
        [[ $libraries == *"${pair%%:*}"* ]] || echo "${pair##*:}"
    done
    if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
        command -v xvfb-run >/dev/null || echo xvfb
        command -v xauth >/dev/null || echo xauth
    fi
    [ -n "$(fc-list 2>/dev/null)" ] || echo "fontconfig fonts-dejavu-core"
    "$python" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
}

install_missing() {
    local missing
    missing=$(missing_packages | tr '\n' ' ')
    [ -z "${missing// /}" ] && return
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        say "Installing system libraries: $missing"
        apt-get update -q >/dev/null
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null
    else
        say "Some system packages are missing. Install them as root: apt-get install $missing"
        exit 1
    fi
}

python=$(find_python)
stamp=$venv/.set-up
wanted=$(cat packaging/constraints.txt pyproject.toml packaging/setup.sh | sha256sum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && exit 0

[ "$(uname)" = Linux ] && install_missing
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
say "Installing Python packages into $venv (some minutes, once)."
PIP_CONSTRAINT=packaging/constraints.txt "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -e '.[test]' \
    2> >(grep -v '^WARNING: Location' >&2)
echo "$wanted" > "$stamp"
