"""Every way in which a volume may lie in the patient."""

from __future__ import annotations

import numpy as np
import pytest

from tests.core.viewing.placement import AFFINES


@pytest.fixture(params=list(AFFINES), ids=[name.replace(" ", "_") for name in AFFINES])
def affine(request: pytest.FixtureRequest) -> np.ndarray:
    return AFFINES[request.param].copy()
