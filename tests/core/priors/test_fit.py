"""A prior's card against a scan."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pytest

from core.errors import PriorError
from core.priors.card import ModelCard
from core.priors.fit import misfit, range_misfit, unchecked
from core.scan import KSpace


def card(**changes: object) -> ModelCard:
    told = {"modality": "MR", "anatomy": "head", "contrast": "T1-, T2- and FLAIR-like", **changes}
    return ModelCard("heads", "small", {}, **{"channels": 2, **told})


@pytest.fixture
def scan(make_scan) -> KSpace:
    return make_scan().with_changes(anatomy="brain", contrast="T2", field_of_view_mm=(200.0, 240.0, 5.0))


def test_what_agrees_is_silent(scan: KSpace) -> None:
    assert misfit(card(), scan) == []
    assert unchecked(card(), scan) == ""


@pytest.mark.parametrize("channels", [1, 3])
def test_other_channels_are_refused(scan: KSpace, channels: int) -> None:
    with pytest.raises(PriorError, match="real and the imaginary"):
        misfit(card(channels=channels), scan)


def test_another_modality_is_refused_and_an_unknown_one_warns(scan: KSpace) -> None:
    with pytest.raises(PriorError, match="CT"):
        misfit(card(modality="CT"), scan)
    assert misfit(card(modality="MRI"), scan) == []
    (warning,) = misfit(card(modality="unknown"), scan)
    assert "not known" in warning


@pytest.mark.parametrize(
    ("trained", "measured", "warns"),
    [
        ("head", "knee", True),
        ("head", "BRAIN", False),
        ("Knee, 3 T", "KNEES", False),
        ("knee", "Skull_base", True),
        ("chest and abdomen", "liver", False),
        ("chest and abdomen", "pelvis", True),
        ("head", "phantom", True),
        ("head", "femoral head", False),
        ("head", "forehead", False),
        ("head", "HEADER-3", False),
        ("whole body", "knee", False),
        ("unknown", "knee", False),
        ("head", "", False),
    ],
)
def test_anatomy_goes_by_whole_words(scan: KSpace, trained: str, measured: str, warns: bool) -> None:
    found = misfit(card(anatomy=trained), scan.with_changes(anatomy=measured))
    assert len(found) == warns
    assert all(trained in warning and measured in warning for warning in found)


@pytest.mark.parametrize(
    ("trained", "measured", "warns"),
    [
        ("T1-weighted", "T1POST", False),
        ("T1-, T2- and FLAIR-like", "T2", False),
        ("T1-weighted", "T2-FLAIR", True),
        ("T2-weighted", "T2* GRE", True),
        ("T2 star", "t2*", False),
        ("proton density", "PDFS", False),
        ("T1", "PDFS", True),
        ("T1", "T10", False),
        ("T1", "updated", False),
        ("unknown", "T2", False),
        ("T1", "", False),
    ],
)
def test_contrast_is_read_out_of_names_of_sequences(scan: KSpace, trained: str, measured: str, warns: bool) -> None:
    found = misfit(card(contrast=trained), scan.with_changes(contrast=measured))
    assert len(found) == warns
    assert all(trained in warning and measured in warning for warning in found)


@pytest.mark.parametrize(
    ("low", "high", "warns"), [(0.5, 1.2, True), (4.9, 5.1, False), (4.0, 6.0, False), (6.0, 8.0, True)]
)
def test_the_pixel_size_is_compared(scan: KSpace, low: float, high: float, warns: bool) -> None:
    found = misfit(with_pixels(card(), low, high), scan)
    assert len(found) == warns
    assert all("5 mm" in warning for warning in found)


def with_pixels(plain: ModelCard, low: float, high: float) -> ModelCard:
    if "pixel_mm" in {f.name for f in fields(ModelCard)}:
        return plain.with_changes(pixel_mm=(low, high))

    @dataclass(frozen=True)
    class Sized(ModelCard):
        pixel_mm: tuple[float, float] | None = None

    return Sized(**{f.name: getattr(plain, f.name) for f in fields(plain)}, pixel_mm=(low, high))


def test_of_a_scan_undersampled_along_kz_the_planes_across_the_readout_count(scan: KSpace) -> None:
    mask = np.ones((1, 1, 1, 12, 48, 1), bool)
    mask[:, :, :, ::2, ::2] = False
    mask[..., 6, 24, :] = True
    data = np.broadcast_to(scan.data, (*scan.data.shape[:4], 12, 48, 40)) * mask[:, :, :, None]
    deep = scan.with_changes(data=data, mask=mask, matrix=(12, 48, 40), field_of_view_mm=(200.0, 240.0, 120.0))
    (warning,) = misfit(with_pixels(card(), 4.0, 6.0), deep)
    assert "5 to 10 mm" in warning
    (warning,) = misfit(card(image_size=48), deep)
    assert "48 x 12" in warning


def test_a_full_size_network_wants_its_size(scan: KSpace) -> None:
    (warning,) = misfit(card(image_size=320), scan)
    assert "320 x 320" in warning
    assert "40 x 48" in warning
    square = scan.with_changes(
        data=scan.data[..., 4:44, :], mask=scan.mask[..., 4:44, :], matrix=(1, 40, 40), field_of_view_mm=None
    )
    assert misfit(card(image_size=40), square) == []


def test_what_the_scan_does_not_tell_is_named_once_and_does_not_warn(scan: KSpace) -> None:
    silent = scan.with_changes(anatomy="", contrast="", field_of_view_mm=None)
    assert misfit(card(), silent) == []
    assert "the part of the body and the contrast." in unchecked(card(), silent)
    told = unchecked(with_pixels(card(), 0.5, 1.0), silent)
    assert "the part of the body, the contrast and the pixel size." in told
    assert unchecked(card(anatomy="any part"), scan) == ""


def test_a_lonely_bright_spot_warns() -> None:
    assert range_misfit(card(), 3.9) == []
    (warning,) = range_misfit(card(), 12.3)
    assert "12 times" in warning
