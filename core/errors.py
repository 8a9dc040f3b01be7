"""The errors that are meant to be read by a person."""

LONGEST = 800


class UserError(Exception):
    """Something that the user can understand and mend.

    what: what happened, one sentence. why: the cause, as far as known. try_this: what to do next. Each is cut off
    after LONGEST letters: what a damaged file is quoted with may be of any length.
    """

    def __init__(self, what: str, why: str = "", try_this: str = "") -> None:
        what, why, try_this = (t if len(t) <= LONGEST else f"{t[: LONGEST - 2]} …" for t in (what, why, try_this))
        super().__init__(what, why, try_this)
        self.what = what
        self.why = why
        self.try_this = try_this

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.why, self.try_this) if part)


class ScanError(UserError):
    """A scan cannot be opened, or not be used as it is."""


class PriorError(UserError):
    """A diffusion prior cannot be loaded, or does not fit the scan."""


class JobError(UserError):
    """A run cannot be started or finished with these settings on this machine."""


class DeviceError(JobError):
    """A graphics card cannot be computed on; the CPU can."""
