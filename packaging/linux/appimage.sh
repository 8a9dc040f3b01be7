#!/usr/bin/env bash
# dist/DDS-Viewer.AppDir of dist/dds-viewer, and of that one file, dist/DDS-Viewer-x86_64.AppImage, where appimagetool
# (https://appimage.github.io/appimagetool) is on the path. Usage: packaging/linux/appimage.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
dist=${DDS_VIEWER_DIST:-$PWD/dist}
folder=$dist/dds-viewer
app=$dist/DDS-Viewer.AppDir
[ -x "$folder/dds-viewer" ] || { echo "Run make frozen first." >&2; exit 1; }

rm -rf "$app"
mkdir -p "$app/usr"
# Links to the same files: the program is large.
cp -al "$folder" "$app/usr/lib-dds-viewer"
rm -rf "$app/usr/lib-dds-viewer/share"
packaging/linux/install.sh "$app/usr/share" "${DDS_VIEWER_BUILD:-$PWD/build}/icons"
cp "$app/usr/share/applications/dds-viewer.desktop" "$app/"
cp "$app/usr/share/icons/hicolor/256x256/apps/dds-viewer.png" "$app/"
ln -sf dds-viewer.png "$app/.DirIcon"
cat > "$app/AppRun" <<'RUN'
#!/bin/sh
exec "$(dirname "$(readlink -f "$0")")/usr/lib-dds-viewer/dds-viewer" "$@"
RUN
chmod +x "$app/AppRun"

if command -v appimagetool >/dev/null; then
    ARCH=x86_64 appimagetool --no-appstream "$app" "$dist/DDS-Viewer-x86_64.AppImage"
else
    echo "There is no appimagetool here. With it: ARCH=x86_64 appimagetool --no-appstream $(basename "$app")"
fi
