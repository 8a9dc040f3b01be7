"""The made-up trunk and the head in HU: repeatable, plausible, and with left where left is."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import JobError
from core.priors.phantoms_canvas import TISSUES
from core.priors.phantoms_head_ct import head_ct
from core.priors.phantoms_organs import ORGANS
from core.priors.phantoms_torso import Torso, torso

COARSE = (12, 60, 84)
SPACING = (20.0, 4.8, 4.8)


def at(made: Torso, organ: str) -> np.ndarray:
    return made.labels == ORGANS.index(organ)


def middle(made: Torso, organ: str) -> np.ndarray:
    """The mean index (z, y, x) of an organ, relative to the middle of the volume."""
    return np.argwhere(at(made, organ)).mean(axis=0) - (np.array(made.image.shape) - 1) / 2


@pytest.fixture(scope="module")
def trunks() -> list[Torso]:
    return [torso(seed, COARSE, spacing_mm=SPACING) for seed in range(4)]


def test_a_seed_gives_the_same_trunk_and_another_does_not(trunks: list[Torso]) -> None:
    again = torso(2, COARSE, spacing_mm=SPACING)
    assert np.array_equal(again.image, trunks[2].image)
    assert np.array_equal(again.labels, trunks[2].labels)
    assert not np.array_equal(trunks[1].image, trunks[2].image)


def test_left_is_left_and_the_head_is_up(trunks: list[Torso]) -> None:
    """x grows to the patient's left, y to the back, z to the head."""
    for made in trunks:
        assert middle(made, "heart")[2] > 1
        assert middle(made, "liver")[2] < -3
        assert middle(made, "spleen")[2] > 5
        assert middle(made, "stomach")[2] > 2
        assert middle(made, "lung")[0] > middle(made, "kidney")[0] + 2
        assert middle(made, "bone")[1] > middle(made, "heart")[1]


def test_hounsfield_units_are_those_of_the_labels(trunks: list[Torso]) -> None:
    limits = {"fat": (-140, -60), "muscle": (20, 95), "lung": (-960, -700), "liver": (40, 130), "bone": (250, 1300)}
    for made in trunks:
        assert -1030 <= made.image.min() < -950
        assert made.image.max() < 2000
        for organ, (low, high) in limits.items():
            assert low < np.median(made.image[at(made, organ)]) < high, organ


def test_blood_has_one_enhancement_and_lungs_have_vessels() -> None:
    made = torso(1, (6, 150, 210), spacing_mm=(8.0, 2.0, 2.0), part="chest")
    inside = at(made, "lung")
    assert at(made, "vessel").any()
    assert 0.02 < at(made, "vessel").sum() / inside.sum() < 1
    assert at(made, "airway").any()


def test_the_parts_are_stacked(trunks: list[Torso]) -> None:
    chest, abdomen = (torso(3, COARSE, spacing_mm=SPACING, part=part) for part in ("chest", "abdomen"))
    assert at(chest, "lung").sum() > 2 * at(abdomen, "lung").sum()
    assert at(abdomen, "bowel").sum() > 2 * at(chest, "bowel").sum()


def test_the_head_in_hounsfield_units() -> None:
    made = head_ct(4, (6, 48, 40), spacing_mm=(15.0, 4.5, 4.5))
    assert np.array_equal(made.image, head_ct(4, (6, 48, 40), spacing_mm=(15.0, 4.5, 4.5)).image)
    grey, white = (np.median(made.image[made.labels == TISSUES.index(t)]) for t in ("grey", "white"))
    assert 20 < white < grey < 50
    assert made.image[made.labels == TISSUES.index("bone")].max() > 500
    assert -1010 <= made.image.min() < -950


@pytest.mark.parametrize("bad", [{"part": "leg"}, {"shape": (0, 4, 4)}, {"shape": (10**4,) * 3}])
def test_nonsense_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(JobError):
        torso(0, **({"shape": (2, 8, 8)} | bad))  # type: ignore[arg-type]


def test_a_head_without_end_is_refused() -> None:
    with pytest.raises(JobError, match="cannot be made"):
        head_ct(0, (10**4,) * 3)
