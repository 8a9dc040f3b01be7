"""What the user must read."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import PriorError, UserError


@dataclass(frozen=True)
class Notice:
    """Something that the user must read. error tells a failure from news; setting names the one to change.
    volume: path of an image volume that a scan can be simulated from instead, or ""."""

    what: str
    why: str = ""
    try_this: str = ""
    error: bool = True
    setting: str = ""
    volume: str = ""

    @classmethod
    def of(cls, error: UserError) -> Notice:
        setting = "prior" if isinstance(error, PriorError) else ""
        return cls(error.what, error.why, error.try_this, setting=setting)

    @property
    def rest(self) -> str:
        """The cause and what to do, in one line."""
        return " ".join(part for part in (self.why, self.try_this) if part)
