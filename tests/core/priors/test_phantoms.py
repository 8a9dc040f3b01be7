"""The made-up head, Shepp-Logan and coil maps."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import JobError
from core.priors.phantoms import CONTRASTS, TISSUES, Head, coil_maps, head, shepp_logan
from core.priors.phantoms_shapes import chain, ellipsoid

SHAPE, SPACING = (3, 96, 80), (6.0, 2.4, 2.4)
CENTRE = (0.0, 0.0, 12.0)


@pytest.fixture(scope="module")
def made() -> Head:
    return head(5, SHAPE, "t2", spacing_mm=SPACING, centre_mm=CENTRE, lesions=2)


def test_seed_decides_everything(made: Head) -> None:
    again = head(5, SHAPE, "t2", spacing_mm=SPACING, centre_mm=CENTRE, lesions=2)
    assert np.array_equal(made.image, again.image)
    assert np.array_equal(made.labels, again.labels)
    other = head(6, SHAPE, "t2", spacing_mm=SPACING, centre_mm=CENTRE, lesions=2)
    assert np.mean(np.abs(made.image - other.image)) > 0.03


def test_image_is_a_finite_positive_picture_on_dark_ground(made: Head) -> None:
    assert made.image.shape == made.labels.shape == SHAPE
    assert made.image.dtype == np.float32
    assert np.isfinite(made.image).all()
    assert made.image.min() >= 0
    assert 0.6 < np.percentile(made.image, 99.5) < 1.5
    assert made.image[:, 0].max() < 0.05


def test_left_and_right_differ(made: Head) -> None:
    mirrored = made.image[..., ::-1]
    inside = (made.image > 0.1) & (mirrored > 0.1)
    assert np.corrcoef(made.image[inside], mirrored[inside])[0, 1] < 0.8


def test_the_tissues_of_a_head_are_there_in_sensible_amounts(made: Head) -> None:
    millilitres = {
        name: np.count_nonzero(made.labels == i) * np.prod(SPACING) / 1000 / (SHAPE[0] * SPACING[0] / 10)
        for i, name in enumerate(TISSUES)
    }
    per_centimetre = {"white": (15, 120), "grey": (15, 110), "csf": (3, 60), "bone": (5, 60), "fat": (2, 50)}
    for name, (least, most) in per_centimetre.items():
        assert least < millilitres[name] < most, name


def test_contrasts_rank_tissues_as_mri_does() -> None:
    order = {"t1": ("csf", "grey", "white"), "t2": ("white", "grey", "csf"), "flair": ("csf", "white", "grey")}
    for contrast, names in order.items():
        image = head(5, (1, 96, 80), contrast, spacing_mm=(1.0, 2.4, 2.4), centre_mm=CENTRE, jitter=0.02)
        signals = [np.median(image.image[image.labels == TISSUES.index(name)]) for name in names]
        assert signals == sorted(signals), contrast


def test_thick_slices_blur_what_runs_askew() -> None:
    thick = head(5, (1, 96, 80), "t2", spacing_mm=(8.0, 2.4, 2.4), centre_mm=CENTRE)
    thin = head(5, (1, 96, 80), "t2", spacing_mm=(1.0, 2.4, 2.4), centre_mm=CENTRE)
    assert np.abs(np.diff(thick.image, axis=-1)).mean() < np.abs(np.diff(thin.image, axis=-1)).mean()


@pytest.mark.parametrize("arguments", [{"contrast": "t9"}, {"shape": (0, 8, 8)}, {"shape": (10**6, 10**6, 10**6)}])
def test_what_cannot_be_made_is_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(JobError):
        head(1, **arguments)  # type: ignore[arg-type]


def test_every_contrast_has_a_signal_for_every_tissue() -> None:
    assert all(len(signals) == len(TISSUES) for signals in CONTRASTS.values())


def test_shapes_are_distances() -> None:
    x = np.linspace(-20, 20, 41, dtype=np.float32)
    points = (x, np.zeros_like(x), np.zeros_like(x))
    np.testing.assert_allclose(ellipsoid(points, (0, 0, 0), (10, 10, 10))[x != 0], (10 - np.abs(x))[x != 0], atol=1e-4)
    np.testing.assert_allclose(chain(points, [(0, -5, 0, 4), (0, 5, 0, 4)]), 4 - np.abs(x), atol=1e-4)


def test_shepp_logan_is_the_known_picture() -> None:
    image = shepp_logan(256)
    assert image.shape == (256, 256)
    assert image.min() == 0
    assert image.max() == 1
    assert image[128, 128] == pytest.approx(0.2, abs=1e-6)
    assert image[128, 100] == pytest.approx(0.0, abs=1e-6)
    assert image[0].max() == 0


@pytest.mark.parametrize("shape", [(48, 40), (3, 24, 24), (1, 8, 8)])
def test_coil_maps_are_smooth_and_of_unit_length(shape: tuple[int, ...]) -> None:
    maps = coil_maps(6, shape, seed=3)
    assert maps.shape == (6, *shape)
    assert maps.dtype == np.complex64
    np.testing.assert_allclose(np.sum(np.abs(maps) ** 2, axis=0), 1, rtol=1e-5)
    assert np.abs(np.diff(maps, axis=-1)).max() < 8 / shape[-1]
    assert np.array_equal(maps, coil_maps(6, shape, seed=3))
    assert not np.array_equal(maps, coil_maps(6, shape, seed=4))


def test_each_coil_sees_its_own_side() -> None:
    maps = np.abs(coil_maps(8, (32, 32)))
    centres = [np.unravel_index(np.argmax(m), m.shape) for m in maps]
    assert len(set(centres)) >= 6


def test_no_coils_are_refused() -> None:
    with pytest.raises(JobError):
        coil_maps(0, (8, 8))
