"""Writes what a pane of the viewing room holds, in the file thread."""

from __future__ import annotations

from functools import singledispatch
from pathlib import Path

from app.state.room.item import Item, Kind
from app.state.room.sources import volume_of
from app.state.runs import Run
from core.export.dicom_about import About, about_scan, about_volume
from core.formats.volume_parts import Opened
from core.scan import Volume


def save_item(item: Item, path: str, keep_identity: bool) -> None:
    """Write an item as .dcm, .nii.gz, .nrrd, .npy or .png; maps of numbers become Parametric Maps in DICOM.

    Raises ExportError; then nothing is left behind.
    """
    from core.export import DICOM, dicom_map, ending_of, save, writing

    volume, where = volume_of(item), Path(path)
    about = _about(item.origin, volume, keep_identity)
    maps = {
        Kind.SPREAD: dicom_map.SPREAD,
        Kind.SUPPORT: dicom_map.UNSEEN if item.unit else dicom_map.SUPPORT,
        Kind.DIFFERENCE: dicom_map.DIFFERENCE,
    }
    shows = maps.get(item.kind)
    if shows is not None and ending_of(where) == DICOM:
        with writing(where):
            dicom_map.write(volume, where, about=about, shows=shows)
    else:
        save(volume, where, about)


@singledispatch
def _about(origin: object, volume: Volume, keep_identity: bool) -> About:
    """What an export tells beside the pixels, by what the item was made of."""
    return about_volume(volume)


@_about.register
def _(origin: Opened, volume: Volume, keep_identity: bool) -> About:
    told = {"modality": origin.modality} if origin.modality in ("CT", "MR") else {}
    return about_volume(volume, identity=origin.identity, keep_identity=keep_identity, anatomy=origin.anatomy, **told)


@_about.register
def _(origin: Run, volume: Volume, keep_identity: bool) -> About:
    return about_scan(origin.job.scan, volume) if origin.job.scan is not None else about_volume(volume)
