#!/usr/bin/env bash
# The environment in which the program is packed: the tools of the extra "build", and what the program's own holds.
# Separate, so that nothing of the tools gets among what the program needs. Quick when nothing has changed.
# Usage: packaging/tools.sh [FOLDER]. Prints the folder. $DDS_VIEWER_BUILD: where builds lie, instead of build/.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=${1:-${DDS_VIEWER_BUILD:-$PWD/build}/tools}
python=$PWD/.venv/bin/python

packages() {
    "$python" -c 'import tomllib
print("\n".join(tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["build"]))'
}

wanted=$(packages; cat packaging/tools.sh)
if [ ! -f "$tools/.set-up" ] || [ "$(cat "$tools/.set-up")" != "$wanted" ]; then
    "$python" -m venv "$tools"
    packages > "$tools/packages.txt"
    PIP_CONSTRAINT=packaging/constraints.txt \
        "$tools/bin/python" -m pip install --quiet --disable-pip-version-check -r "$tools/packages.txt" >&2
    here=$("$tools/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    theirs=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    printf 'import site; site.addsitedir(%s)\n' "'$theirs'" > "$here/zz_program.pth"
    printf '%s' "$wanted" > "$tools/.set-up"
fi
echo "$tools"
