#!/usr/bin/env bash
# The source archive and, made of it alone, the wheel, in dist/. Usage: packaging/dist.sh
# $DDS_VIEWER_BUILD and $DDS_VIEWER_DIST: other places for build/ and dist/.
set -euo pipefail
cd "$(dirname "$0")/.."
dist=${DDS_VIEWER_DIST:-$PWD/dist}
tools=$(packaging/tools.sh)
.venv/bin/python packaging/make_licences.py
mkdir -p "$dist"
rm -f "$dist"/dds_viewer-*.whl "$dist"/dds_viewer-*.tar.gz
# Without isolation: setuptools is among the tools already, and nothing is downloaded.
"$tools/bin/python" -m build --no-isolation --outdir "$dist" . >"$dist/build.log" 2>&1 || {
    tail -n 30 "$dist/build.log" >&2
    exit 1
}
rm "$dist/build.log"
ls -l "$dist"/dds_viewer-*
