"""Fixtures for the readers' tests."""

from __future__ import annotations

import pytest


@pytest.fixture
def sound_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that the tests write themselves are sound: do without the process that reads an HDF5 file through first."""
    monkeypatch.setattr("core.formats.hdf5.trouble_with", lambda path, changed, size: "")
