#!/usr/bin/env bash
# The program as a folder that needs no Python: dist/dds-viewer. Usage: packaging/freeze.sh
# $DDS_VIEWER_BUILD and $DDS_VIEWER_DIST: other places for build/ and dist/. Takes some minutes and 3 GB of disk.
set -euo pipefail
cd "$(dirname "$0")/.."
export DDS_VIEWER_BUILD=${DDS_VIEWER_BUILD:-$PWD/build}
dist=${DDS_VIEWER_DIST:-$PWD/dist}
python=$PWD/.venv/bin/python
tools=$(packaging/tools.sh)

"$python" packaging/make_licences.py
"$python" packaging/make_icons.py "$DDS_VIEWER_BUILD/icons"
# PyInstaller must run in the program's own environment: it keeps libraries where it finds them in that one only.
PYTHONPATH=$("$tools/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))') \
    "$python" -m PyInstaller --noconfirm --log-level WARN \
    --distpath "$dist" --workpath "$DDS_VIEWER_BUILD/pyinstaller" packaging/dds-viewer.spec
if [ "$(uname)" = Linux ]; then
    packaging/linux/install.sh "$dist/dds-viewer/share" "$DDS_VIEWER_BUILD/icons"
fi
du -sh "$dist/dds-viewer" | sed 's/\t.*//; s/^/Size: /'
