"""Whether a prior suits a scan: what its card says against what was measured."""

from __future__ import annotations

import re
from functools import singledispatch

from core.errors import PriorError
from core.orientation import spacing_of
from core.priors.card import ModelCard
from core.projections import Projections
from core.scan import KSpace, Scan

_MODALITIES = {"mr": "MR", "mri": "MR", "ct": "CT"}
_UNKNOWN = ("", "unknown")
_A = {"MR": "an", "CT": "a"}

_REGIONS = {
    "head": "head brain skull cerebrum cerebral cerebellum cranial cranium neuro intracranial orbit orbits pituitary",
    "neck": "neck cervical carotid carotids larynx thyroid",
    "chest": "chest thorax thoracic lung lungs pulmonary heart cardiac breast mediastinum",
    "abdomen": "abdomen abdominal liver hepatic kidney kidneys renal pancreas spleen bowel",
    "pelvis": "pelvis pelvic prostate uterus bladder hip hips",
    "spine": "spine spinal lumbar vertebra vertebrae",
    "knee": "knee knees meniscus patella",
    "foot": "foot feet ankle",
    "hand": "hand wrist finger fingers",
    "shoulder": "shoulder shoulders",
    "elbow": "elbow",
    "leg": "leg legs thigh calf femur tibia",
    "arm": "arm arms forearm",
    "phantom": "phantom",
}
_REGION_OF = {word: region for region, words in _REGIONS.items() for word in words.split()}
_EVERYTHING = ("any", "all", "various", "general", "mixed", "body")

_CONTRASTS = {
    "T1": r"t1",
    "T2*": r"t2\s*\*|t2\s*star",
    "T2": r"t2(?!\s*\*|\s*star)",
    "proton density": r"pd|proton[\s-]*density",
    "FLAIR": r"flair",
    "STIR": r"stir",
    "diffusion": r"dwi|dti|adc|diffusion",
    "susceptibility": r"swi|susceptibility",
}

PIXEL_TOLERANCE = 1.05
BRIGHTEST = 4.0
"""Of the peak, in units of what the prior knows as 1; training images hardly reach beyond 2."""


@singledispatch
def modality_misfit(scan: Scan, card: ModelCard) -> list[str]:
    """A warning where the modality of a prior is not known. Raises PriorError where the prior cannot be used at all."""
    raise TypeError(type(scan))


@modality_misfit.register
def _(scan: KSpace, card: ModelCard) -> list[str]:
    needs = "complex MRI needs two, the real and the imaginary part"
    return _modality(card, "MR", card.channels == 2 or card.takes_parts, needs)


@modality_misfit.register
def _(scan: Projections, card: ModelCard) -> list[str]:
    return _modality(card, "CT", card.channels == 1 and not card.takes_parts, "CT needs one")


def _modality(card: ModelCard, wanted: str, channels_fit: bool, needs: str) -> list[str]:
    what = f"The prior {card.name} does not fit this scan."
    if not channels_fit:
        has = f"It has {_count(card.channels, 'channel')}; {needs}."
        raise PriorError(what, has, "Choose another prior.")
    modality = _MODALITIES.get(card.modality.lower(), card.modality)
    if modality.lower() in _UNKNOWN:
        return [f"It is not known whether the prior {card.name} was trained on {wanted} images."]
    if modality != wanted:
        why = f"It was trained on {modality} images, and this is {_A[wanted]} {wanted} scan."
        raise PriorError(what, why, "Choose another prior.")
    return []


def misfit(card: ModelCard, scan: Scan) -> list[str]:
    """Warnings about a prior for a scan, a sentence or two each, as far as both say what they are.

    Raises PriorError when the prior cannot be used at all: another number of channels, or another modality.
    """
    warnings = modality_misfit(scan, card)
    return warnings + _anatomy(card, scan) + _contrast(card, scan) + _pixels(card, scan) + _size(card, scan)


def unchecked(card: ModelCard, scan: Scan) -> str:
    """One sentence on what could not be compared because the scan or the card does not say it; "" if all could be."""
    missing = []
    if not (_regions(card.anatomy) or _is_general(card.anatomy)) or not _regions(scan.anatomy):
        missing.append("the part of the body")
    if not _contrasts(card.contrast) or not _contrasts(scan.contrast):
        missing.append("the contrast")
    if getattr(card, "pixel_mm", None) is not None and _plane(scan)[1] is None:
        missing.append("the pixel size")
    if not missing:
        return ""
    what = missing[0] if len(missing) == 1 else f"{', '.join(missing[:-1])} and {missing[-1]}"
    trained = ", ".join(text for text in (card.anatomy, card.contrast) if text not in _UNKNOWN) or "unknown images"
    return f"Not checked against the prior {card.name} ({trained}): {what}. Judge yourself whether they agree."


def range_misfit(card: ModelCard, peak: float) -> list[str]:
    """A warning when a few very bright spots outshine the rest. peak: of the image, scaled to what the prior knows."""
    if peak <= BRIGHTEST:
        return []
    return [
        f"A few spots are {peak:.0f} times as bright as the rest of this scan. The prior {card.name} has not seen such"
        " images, and may flatten or invent detail around them."
    ]


def _anatomy(card: ModelCard, scan: Scan) -> list[str]:
    trained, measured = _regions(card.anatomy), _regions(scan.anatomy)
    if not trained or not measured or trained & measured or _is_general(card.anatomy):
        return []
    return [
        f"The prior {card.name} was trained on images of the {card.anatomy}, and this scan is of the {scan.anatomy}."
        " It may draw structures that are not there."
    ]


def _contrast(card: ModelCard, scan: Scan) -> list[str]:
    trained, measured = _contrasts(card.contrast), _contrasts(scan.contrast)
    if not trained or not measured or measured <= trained:
        return []
    return [
        f"The prior {card.name} was trained on {card.contrast} images, and this scan is {scan.contrast}."
        " Grey values and lesions may come out wrong."
    ]


def _pixels(card: ModelCard, scan: Scan) -> list[str]:
    known: tuple[float, float] | None = getattr(card, "pixel_mm", None)
    pixel = _plane(scan)[1]
    if known is None or pixel is None:
        return []
    low, high = known
    if min(pixel) * PIXEL_TOLERANCE >= low and max(pixel) <= high * PIXEL_TOLERANCE:
        return []
    return [
        f"The prior {card.name} was trained on pixels of {_range(low, high)} mm, and this scan has"
        f" {_range(*sorted(pixel))} mm. Structures have another size in pixels than it knows."
    ]


def _size(card: ModelCard, scan: Scan) -> list[str]:
    shape = _plane(scan)[0]
    if card.image_size is None or shape == (card.image_size, card.image_size):
        return []
    return [
        f"The prior {card.name} was trained on images of {card.image_size} x {card.image_size} pixels, and this scan"
        f" makes {shape[1]} x {shape[0]}."
    ]


@singledispatch
def _plane(scan: Scan) -> tuple[tuple[int, int], tuple[float, float] | None]:
    """(rows, columns) of the images that the network sees, and their pixel size (y, x) in mm if the scan tells."""
    raise TypeError(type(scan))


@_plane.register
def _(scan: KSpace) -> tuple[tuple[int, int], tuple[float, float] | None]:
    """Slices; of a scan that is undersampled along kz as well, planes across the readout."""
    nz, ny, nx = scan.matrix
    spacing = None
    if scan.affine is not None:
        spacing = spacing_of(scan.affine)
    elif scan.field_of_view_mm is not None:
        x, y, z = scan.field_of_view_mm
        spacing = (x / nx, y / ny, z / nz)
    if not scan.every_kz_alike:
        return (nz, ny), None if spacing is None else (spacing[2], spacing[1])
    return (ny, nx), None if spacing is None else (spacing[1], spacing[0])


@_plane.register
def _(scan: Projections) -> tuple[tuple[int, int], tuple[float, float] | None]:
    x, y, _ = scan.grid.spacing_mm
    return scan.grid.shape[1:], (y, x)


def _regions(text: str) -> set[str]:
    """Parts of the body named in a text, by whole words: "forehead" is no head, "T1 brain" is one."""
    return {_REGION_OF[word] for word in re.findall(r"[a-z]+", text.lower()) if word in _REGION_OF}


def _is_general(text: str) -> bool:
    return any(word in _EVERYTHING for word in re.findall(r"[a-z]+", text.lower()))


def _contrasts(text: str) -> set[str]:
    """Contrasts named in a text; "T1POST" and "T2-weighted" name one, "AT1" and "T10" none."""
    return {
        name for name, pattern in _CONTRASTS.items() if re.search(rf"(?<![a-z0-9])(?:{pattern})(?![0-9])", text.lower())
    }


def _range(low: float, high: float) -> str:
    return f"{low:.2g}" if f"{low:.2g}" == f"{high:.2g}" else f"{low:.2g} to {high:.2g}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
