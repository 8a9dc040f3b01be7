#!/usr/bin/env bash
# Put the desktop entry, the icons and the file types into FOLDER (such as ~/.local/share or /usr/share), and tell the
# desktop. Usage: packaging/linux/install.sh FOLDER [FOLDER_OF_ICONS]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
share=${1:?FOLDER}
icons=${2:-$here/icons}

install -Dm644 "$here/dds-viewer.desktop" "$share/applications/dds-viewer.desktop"
install -Dm644 "$here/dds-viewer-mime.xml" "$share/mime/packages/dds-viewer.xml"
install -Dm644 "$here/../../resources/icons/app.svg" "$share/icons/hicolor/scalable/apps/dds-viewer.svg"
for picture in "$icons"/[0-9]*.png; do
    [ -f "$picture" ] || continue
    size=$(basename "$picture" .png)
    install -Dm644 "$picture" "$share/icons/hicolor/${size}x$size/apps/dds-viewer.png"
done
# A share/ beside a frozen program is packed as it is; a desktop's own keeps a table of what is in it.
case $share in
"$HOME"/.local/share | /usr/share | /usr/local/share)
    command -v update-mime-database >/dev/null && update-mime-database "$share/mime"
    command -v update-desktop-database >/dev/null && update-desktop-database "$share/applications"
    ;;
esac
