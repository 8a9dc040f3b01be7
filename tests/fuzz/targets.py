"""Every file that the program reads: how a small sound one is made, damaged and opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz import damage
from tests.fuzz.damage import Damage


@dataclass(frozen=True)
class Target:
    """make(folder) writes a sound scan and returns the file to be damaged; touch(file) opens it and looks at it.

    ways: kinds of damage besides those to its bytes. seconds: as much time as others get for each second.
    """

    name: str
    make: Callable[[Path], Path]
    touch: Callable[[Path], Any]
    ways: tuple[Damage, ...] = ()
    share: float = 1.0
    hdf5: bool = field(default=False)

    def damages(self, sound: bytes) -> tuple[Damage, ...]:
        return (damage.binary, *self.ways, *((damage.in_hdf5(sound),) if self.hdf5 else ()))


def all_targets() -> dict[str, Target]:
    """By name, in the order of the alphabet."""
    from tests.fuzz import targets_scans, targets_settings, targets_volumes

    found = (*targets_scans.TARGETS, *targets_volumes.TARGETS, *targets_settings.TARGETS)
    return {target.name: target for target in sorted(found, key=lambda target: target.name)}
