#!/usr/bin/env bash
# Does a packed program work? Runs it as a new user would, without Python, an own display or a home with anything in it.
# Usage: packaging/smoke.sh PROGRAM (default: dist/dds-viewer/dds-viewer). Takes about a minute.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "${1:-${DDS_VIEWER_DIST:-dist}/dds-viewer/dds-viewer}")
demo=$PWD/resources/demo/mri_head.h5
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT

run() { (cd "$home" && env -i PATH=/usr/bin:/bin HOME="$home" LANG=C.UTF-8 OMP_WAIT_POLICY=PASSIVE "$@"); }
screened() { run LIBGL_ALWAYS_SOFTWARE=1 xvfb-run --auto-servernum --server-args="-screen 0 1920x1080x24" "$@"; }
begins() { printf '%-40s' "$1"; }
good() { echo ok; }
fails() { echo "FAILED: $1"; exit 1; }

begins "doctor"
screened "$program" doctor > "$home/doctor.txt" 2>&1 || { cat "$home/doctor.txt"; fails "it is not healthy"; }
good

begins "three steps of the demo, no window"
run "$program" recon "$demo" --nfe 3 --slices 0:1 --out "$home/image.npy" > "$home/recon.txt" 2>&1 \
    || { cat "$home/recon.txt"; fails "recon"; }
[ "$(stat -c %s "$home/image.npy")" -gt 10000 ] || fails "the image is empty"
good

begins "all formats are written"
for ending in nii.gz nrrd png dcm; do
    run "$program" recon "$demo" --method zero-filled --slices 0:1 --out "$home/image.$ending" > "$home/write.txt" 2>&1 \
        || { cat "$home/write.txt"; fails ".$ending"; }
    [ -s "$home/image.$ending" ] || fails ".$ending is empty"
done
good

begins "HDF5 is read in a process of its own"
run "$program" --child hdf5_probe "$demo" || fails "a sound file is refused"
head -c 200000 "$demo" > "$home/cut.h5"
if run "$program" --child hdf5_probe "$home/cut.h5" > "$home/cut.txt"; then fails "a cut file is not noticed"; fi
[ -s "$home/cut.txt" ] || fails "what is wrong with a cut file is not told"
if run "$program" --child os "$demo"; then fails "anything can be run as a child"; fi
good

# Raw files of every kind, which the tests can make where the program's environment is beside it.
if [ -x .venv/bin/python ] && [ -d tests/core/formats ]; then
    begins "all formats are read as unpacked"
    .venv/bin/python packaging/make_samples.py "$home/raw" > "$home/raw.txt"
    while read -r sample; do
        run "$program" info "$sample" > "$home/packed.txt" 2>&1 || true
        run "$PWD/.venv/bin/dds-viewer" info "$sample" > "$home/unpacked.txt" 2>&1 || true
        cmp -s "$home/packed.txt" "$home/unpacked.txt" || { cat "$home/packed.txt"; fails "$sample"; }
    done < "$home/raw.txt"
    good
fi

begins "two workers"
run "$program" batch "$demo" --out "$home/batch" --workers 2 --nfe 3 --slices 0:1 > "$home/batch.txt" 2>&1 \
    || { tail -n 20 "$home/batch.txt"; fails "batch"; }
good

begins "window: open the demo, three steps"
printf '[General]\ntour_seen=true\n' > "$home/settings.ini"
screened "$program" demo --nfe 3 --screenshot "$home/window.png" --exit-when-done > "$home/window.txt" 2>&1 \
    || { tail -n 20 "$home/window.txt"; fails "the window"; }
[ "$(stat -c %s "$home/window.png")" -gt 20000 ] || fails "the window is empty"
good
[ -z "${SMOKE_PICTURE:-}" ] || cp "$home/window.png" "$SMOKE_PICTURE"
if pgrep -f "^$program" > /dev/null; then fails "processes are left behind"; fi
