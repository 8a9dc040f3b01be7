#!/usr/bin/env bash
# The demo: in a window where there is a display; otherwise under a virtual X server, with a screenshot.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || [ "$(uname)" != Linux ]; then
    exec .venv/bin/dds-viewer demo
fi
picture=$PWD/out/demo.png
mkdir -p out
packaging/with-display.sh .venv/bin/dds-viewer demo --screenshot "$picture" --exit-when-done
echo "No display was found, so the demo ran under a virtual one. Its screenshot: $picture"
