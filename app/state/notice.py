"""What the user must read."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.engine.job import JobSpec
from core.errors import DeviceError, PriorError, UserError


@dataclass(frozen=True)
class Notice:
    """Something that the user must read. error tells a failure from news; setting names the one to change.
    volume: path of an image volume that a scan can be simulated from instead, or "". again: the job that failed, as it
    can be done on the CPU."""

    what: str
    why: str = ""
    try_this: str = ""
    error: bool = True
    setting: str = ""
    volume: str = ""
    again: JobSpec | None = None

    @classmethod
    def of(cls, error: UserError) -> Notice:
        setting = "prior" if isinstance(error, PriorError) else ""
        return cls(error.what, error.why, error.try_this, setting=setting)

    @classmethod
    def of_run(cls, error: UserError, job: JobSpec) -> Notice:
        """Of a run that failed."""
        notice = cls.of(error)
        if not isinstance(error, DeviceError):
            return notice
        return replace(notice, setting="device", again=replace(job, settings=job.settings.replace(device="cpu")))

    @property
    def rest(self) -> str:
        """The cause and what to do, in one line."""
        return " ".join(part for part in (self.why, self.try_this) if part)
