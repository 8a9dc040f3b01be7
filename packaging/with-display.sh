#!/usr/bin/env bash
# Run a command with a display: the one there is, or a virtual X server. Usage: packaging/with-display.sh COMMAND ...
set -euo pipefail
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || [ "$(uname)" != Linux ]; then
    exec "$@"
fi
export QT_QPA_PLATFORM=xcb LIBGL_ALWAYS_SOFTWARE=1
exec xvfb-run --auto-servernum --server-args="-screen 0 1920x1080x24" "$@"
