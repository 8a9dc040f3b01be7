"""Draws resources/icons/app.svg as PNG in the sizes of the desktops, as .ico (Windows) and, on macOS, as .icns.

python packaging/make_icons.py FOLDER    (packaging/freeze.sh calls it)
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SIZES = (16, 24, 32, 48, 64, 128, 256, 512)


def main(folder: Path) -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PIL import Image
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QGuiApplication, QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    application = QGuiApplication(["make_icons"])
    drawing = QSvgRenderer(str(ROOT / "resources" / "icons" / "app.svg"))
    folder.mkdir(parents=True, exist_ok=True)
    for size in SIZES:
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        drawing.render(painter)
        painter.end()
        if not image.save(str(folder / f"{size}.png")):
            sys.exit(f"{folder / f'{size}.png'} could not be written.")
    application.quit()
    largest = Image.open(folder / f"{SIZES[-1]}.png")
    largest.save(folder / "dds-viewer.ico", sizes=[(size, size) for size in SIZES if size <= 256])
    largest.save(folder / "dds-viewer.icns")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
