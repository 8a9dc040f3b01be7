"""The looks of MR and CT: what codes mean, which contrasts come about, and that crops keep them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.errors import JobError
from core.priors.dataset import CropOptions, CropSampler, prepare
from core.priors.looks import HU_HIGHEST, HU_LOWEST, CtLook, MrLook, look_of, repaint

SPACING = (1.0, 1.0, 1.0)
PLAIN_CT = CtLook(jittered=0.0, textured=0.0)


def test_the_codes_of_ct_give_hounsfield_units_back() -> None:
    values = np.array([-3024.0, -1000.0, -0.4, 0.0, 40.0, 1200.0, 5000.0], np.float32)
    curves = PLAIN_CT.curves(np.random.default_rng(0), False)
    seen = curves.outside[PLAIN_CT.encode(values)] * 1000
    np.testing.assert_allclose(seen, np.clip(np.rint(values), HU_LOWEST, HU_HIGHEST), atol=1e-3)


def test_jittered_windows_rise_and_keep_water_near_nothing() -> None:
    look = CtLook(jittered=1.0)
    rng = np.random.default_rng(1)
    drawn = [look.curves(rng, False).outside for _ in range(40)]
    assert all((np.diff(curve) >= 0).all() for curve in drawn)
    water = [1000 * curve[-HU_LOWEST] for curve in drawn]
    assert np.abs(water).max() < 80
    assert np.std(water) > 3
    assert len({round(float(curve[-HU_LOWEST + 1000]), 4) for curve in drawn}) > 30


def test_ct_crops_show_water_as_nothing_and_air_as_minus_one() -> None:
    array = np.full((48, 48, 48), -1000.0, np.float32)
    array[:, :, 24:] = 0.0
    volume = prepare(array, None, SPACING, "half", look=PLAIN_CT)
    options = CropOptions(16, (0.95, 1.05), (1.0, 1.0), channels=1, look=PLAIN_CT)
    crops = CropSampler([volume], [1.0], options, np.random.default_rng(2)).batch(24)
    assert crops.shape == (24, 1, 16, 16)
    near = (crops.abs() < 0.02) | ((crops + 1).abs() < 0.02)
    assert near.float().mean() > 0.8
    assert crops.max() < 0.15
    assert (crops > -0.02).any()
    assert (crops < -0.98).any()


def test_texture_is_laid_over_tissue_but_not_over_air() -> None:
    look = CtLook(textured=1.0)
    image = torch.full((32, 32), -1.0)
    image[:, 16:] = 0.04
    seen = [look.finish(image.clone(), 1, np.random.default_rng(seed))[0] for seed in range(8)]
    assert all(torch.equal(one[:, :16], image[:, :16]) for one in seen)
    assert max(float(one[:, 16:].std()) for one in seen) > 0.003
    assert max(float(one[:, 16:].std()) for one in seen) < 0.05


def test_mr_crops_have_a_phase_and_ct_crops_none() -> None:
    rng = np.random.default_rng(3)
    image = torch.rand(24, 24)
    mr = MrLook().finish(image, 2, rng)
    assert mr.shape == (2, 24, 24)
    assert mr[1].abs().max() > 0
    assert torch.equal(CtLook(textured=0.0).finish(image, 1, rng)[0], image)


def test_no_pixel_is_much_smaller_than_a_voxel() -> None:
    """A pattern of one-voxel stripes would be a smooth wave in crops of far smaller pixels."""
    array = np.zeros((48, 48, 48), np.float32)
    array[::2] = 400.0
    volume = prepare(array, None, (2.0, 2.0, 2.0), "stripes", (1,), look=PLAIN_CT)
    options = CropOptions(16, (0.2, 0.2), (1.0, 1.0), rotation_degrees=0.0, channels=1, look=PLAIN_CT)
    crops = CropSampler([volume], [1.0], options, np.random.default_rng(4)).batch(8)
    steps = torch.maximum(crops.diff(dim=-1).abs().amax((1, 2, 3)), crops.diff(dim=-2).abs().amax((1, 2, 3)))
    assert steps.min() > 0.2


def test_another_modality_is_refused() -> None:
    with pytest.raises(JobError, match="PET"):
        look_of("PET")


def test_repainting_keeps_air_and_shows_the_same_shapes() -> None:
    ramp = np.linspace(0, 1.25, 500, dtype=np.float32)[None, None]
    drawn = [repaint(ramp, np.random.default_rng(seed))[0, 0] for seed in range(12)]
    assert all(one[0] == -1000 for one in drawn)
    assert all(one.min() >= HU_LOWEST and one.max() <= HU_HIGHEST for one in drawn)
    assert any((np.diff(one) < 0).any() for one in drawn)
    assert len({round(float(one[250])) for one in drawn}) > 8
