"""A sweep for the eye and for other programs: a table as CSV and JSON, and a sheet of its small pictures."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.export import writing
from core.export.whole import write_json, write_whole

NOTICE = "Research use only. Not for diagnosis."
FIGURES = ("seconds", "residual")
QUALITY = ("psnr", "ssim", "nrmse", "hfen", "data_range")

_CELL, _GAP, _LINE, _MARGIN = 112, 8, 14, 16
_MOST_SIDE = 16_000
_DARK, _LIGHT, _DIM, _MARK = (24, 26, 30), (232, 234, 238), (150, 156, 166), (245, 180, 60)


def rows_of(names: Sequence[str], records: Sequence[dict[str, Any]], best: Sequence[int] = ()) -> list[dict[str, Any]]:
    """One flat row for each record. names: of what is varied. best: the numbers of those on the Pareto front."""
    return [
        {
            **{name: record["values"][name] for name in names},
            **{name: record[name] for name in FIGURES},
            **{name: record["metrics"].get(name, "") for name in QUALITY},
            "unit": record.get("unit", ""),
            "reference": record.get("reference", ""),
            "pareto": number in best,
            "digest": record["digest"],
        }
        for number, record in enumerate(records)
    ]


def write_csv(names: Sequence[str], records: Sequence[dict[str, Any]], best: Sequence[int], path: Path) -> None:
    """The rows as CSV, its first line the names. Raises ExportError."""
    rows = rows_of(names, records, best)
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)

    def write(part: Path) -> None:
        part.write_text(text.getvalue(), encoding="utf-8")

    with writing(path):
        write_whole(path, path.suffix, write)


def write_summary(
    about: dict[str, Any], names: Sequence[str], records: Sequence[dict[str, Any]], best: Sequence[int], path: Path
) -> None:
    """What was swept, and the rows, as JSON. Raises ExportError."""
    with writing(path):
        write_json({**about, "cells": rows_of(names, records, best), "notice": NOTICE}, path)


def write_sheet(
    labels: Sequence[str],
    names: Sequence[str],
    values: Sequence[Sequence[Any]],
    records: Sequence[dict[str, Any]],
    best: Sequence[int],
    path: Path,
) -> None:
    """The middle slices as a grid in a PNG: the last setting along x, the one before it along y.

    labels, names, values: of the one or two settings, in words and as in the records. Each picture has its own grey
    scale. Marked are those of `best`. A cell without a record stays empty. A sheet of more than 16 000 pixels a side is
    not drawn. Raises ExportError.
    """
    from PIL import Image, ImageDraw, ImageFont

    across, down = values[-1], (values[0] if len(values) > 1 else [""])
    left = _MARGIN + (90 if len(values) > 1 else 0)
    top, step_x, step_y = _MARGIN + 2 * _LINE, _CELL + _GAP, _CELL + 2 * _LINE + _GAP
    size = left + len(across) * step_x + _MARGIN, top + len(down) * step_y + 2 * _LINE
    if max(size) > _MOST_SIDE:
        return
    sheet = Image.new("RGB", (max(size[0], 420), size[1]), _DARK)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    draw.text((left, _MARGIN - 8), _short(_title(labels), 90), fill=_LIGHT, font=font)
    for column, value in enumerate(across):
        draw.text((left + column * step_x, _MARGIN + _LINE - 4), _short(value, 17), fill=_LIGHT, font=font)
    for row, value in enumerate(down):
        draw.text((_MARGIN, top + row * step_y + _CELL // 2), _short(value, 14), fill=_LIGHT, font=font)
    for number, record in enumerate(records):
        column = list(across).index(record["values"][names[-1]])
        row = list(down).index(record["values"][names[0]]) if len(values) > 1 else 0
        x, y = left + column * step_x, top + row * step_y
        picture = Image.open(io.BytesIO(base64.b64decode(record["thumbnail"]))).convert("RGB")
        picture.thumbnail((_CELL, _CELL))
        sheet.paste(picture, (x + (_CELL - picture.width) // 2, y + (_CELL - picture.height) // 2))
        if number in best:
            draw.rectangle((x - 2, y - 2, x + _CELL + 1, y + _CELL + 1), outline=_MARK, width=2)
        for line, text in enumerate(_caption(record)):
            draw.text((x, y + _CELL + 2 + line * _LINE), text, fill=_DIM, font=font)
    told = f"{NOTICE} Framed: no other is as quick and better." if best else NOTICE
    draw.text((_MARGIN, size[1] - _LINE - 4), told, fill=_DIM, font=font)
    with writing(path):
        write_whole(path, ".png", lambda part: sheet.save(part, "PNG"))


def _title(labels: Sequence[str]) -> str:
    return labels[-1] if len(labels) == 1 else f"{labels[0]} down, {labels[-1]} across"


def _caption(record: dict[str, Any]) -> tuple[str, str]:
    seconds, psnr = f"{record['seconds']:.3g} s", record["metrics"].get("psnr")
    return (seconds, f"residual {record['residual']:.3g}") if psnr is None else (seconds, f"PSNR {psnr:.2f} dB")


def _short(value: Any, most: int) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= most else text[: most - 1] + "…"
