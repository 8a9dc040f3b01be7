"""The errors that are meant to be read by a person."""


class UserError(Exception):
    """Something that the user can understand and mend.

    what: what happened, one sentence. why: the cause, as far as known. try_this: what to do next.
    """

    def __init__(self, what: str, why: str = "", try_this: str = "") -> None:
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
