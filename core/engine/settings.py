"""The settings of a reconstruction: one dataclass, from which the form, the command line and the files are made."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_type_hints

from core.engine.methods import METHODS, settings_used
from core.errors import JobError


@dataclass(frozen=True)
class Help:
    """What a form or a command line needs to know of one setting.

    label and text are for a person; unit may be empty; low and high are the closed range of a number.
    methods: the methods that use the setting ("" in it means all).
    """

    label: str
    text: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    methods: tuple[str, ...] = ("dds",)


def setting(
    default: Any,
    label: str,
    text: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    methods: tuple[str, ...] = ("dds",),
) -> Any:
    """A dataclass field that carries its help."""
    return dataclasses.field(default=default, metadata={"help": Help(label, text, unit, low, high, methods)})


Method = Literal["dds", "cg-sense", "l1-wavelet", "tv", "zero-filled", "fbp", "fdk", "cgls", "sirt"]
GammaRule = Literal["constant", "noise"]
Spacing = Literal["uniform", "quadratic", "trailing"]
Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "float32", "bfloat16"]
Along = Literal["auto", "slice", "z", "volume"]
Weighting = Literal["none", "photons"]
Window = Literal["hann", "ramp", "cosine", "shepp-logan"]

ALL: tuple[str, ...] = get_args(Method)
LAST_TIMESTEP = 999


@dataclass(frozen=True)
class ReconSettings:
    """Everything that a user can turn. Defaults are the paper's; a prior's card may recommend others."""

    method: Method = setting(
        "dds", "Method", "DDS uses the prior; the classical methods use the measurement alone.", methods=ALL
    )
    prior: str = setting(
        "mri-small", "Prior", "Name of a bundled or added diffusion prior, or the path of a checkpoint."
    )
    nfe: int = setting(
        20, "NFE", "Network evaluations. More take longer in proportion.", unit="evaluations", low=2, high=1000
    )
    spacing: Spacing = setting(
        "uniform",
        "Spacing",
        "How the timesteps are spread. Uniform is the paper's; quadratic puts more of them at low noise.",
    )
    eta: float = setting(0.15, "Eta", "Share of fresh noise in each step. 0 is deterministic.", low=0.0, high=1.0)
    cg_steps: int = setting(
        5,
        "CG steps",
        "Conjugate-gradient iterations that pull each estimate to the measurement.",
        unit="iterations",
        low=1,
        high=200,
    )
    gamma: float = setting(
        5.0,
        "Gamma",
        "Weight of the measurement against the denoised estimate. It means the same for every scan: A has unit norm.",
        low=0.0,
        high=1e6,
    )
    gamma_rule: GammaRule = setting(
        "constant",
        "Gamma rule",
        "Constant is the paper's. Noise weighs the data by gamma times the noise variance of the step over that of the"
        " scan, estimated from the edge of k-space.",
    )
    noiseless: bool = setting(
        False, "Noiseless data", "Fit the measurement itself and ignore gamma. Only for data without noise."
    )
    t_start: int = setting(
        LAST_TIMESTEP,
        "Start timestep",
        "999 starts from pure noise. Less starts from the classical image with that much noise on it.",
        unit="of 999",
        low=1,
        high=LAST_TIMESTEP,
    )
    seed: int = setting(
        0, "Seed", "Same seed, scan, settings and device: the same image bit for bit.", low=0, high=2**31 - 1
    )
    samples: int = setting(
        1,
        "Samples",
        "Independent samples with seeds of their own; the image is their mean, their spread is kept beside it."
        " Time grows in proportion.",
        low=1,
        high=64,
    )
    lam: float = setting(
        3e-3,
        "Lambda",
        "Weight of the penalty against the measurement, for an image scaled to peak 1 and an A of unit norm. In DDS: of"
        " the total variation that ties the slices, where rho is above 0.",
        low=0.0,
        high=1e3,
        methods=("cg-sense", "l1-wavelet", "tv", "dds"),
    )
    rho: float = setting(
        0.0,
        "Rho",
        "Pace of the total variation that ties the slices together in DDS. 0 reconstructs every slice on its own.",
        low=0.0,
        high=1e4,
    )
    admm_steps: int = setting(
        1, "ADMM steps", "Rounds of the slice tie in each step of DDS.", unit="rounds", low=1, high=20
    )
    along: Along = setting(
        "auto",
        "TV along",
        "Directions of the total variation: within a slice, along z only, or all three. Auto is z for the tie of DDS,"
        " and all three for TV where there are several slices.",
        methods=("tv", "dds"),
    )
    iterations: int = setting(
        30,
        "Iterations",
        "Of CGLS and SIRT. More follow the measurement, and its noise, more closely.",
        unit="iterations",
        low=1,
        high=5000,
        methods=("cgls", "sirt"),
    )
    filter: Window = setting(
        "hann",
        "Filter",
        "Window on the ramp of filtered back-projection: ramp is sharpest and noisiest, Hann is smoothest.",
        methods=("fbp", "fdk"),
    )
    weight: Weighting = setting(
        "none",
        "Weight",
        "Photons weighs each ray by the number of photons that arrived, where the scan tells how many were sent.",
        methods=("cgls", "tv", "dds"),
    )
    nonnegative: bool = setting(
        True, "Non-negative", "CT images are never less than air.", methods=("tv", "sirt", "dds")
    )
    device: Device = setting("auto", "Device", "Auto takes CUDA where there is one.", methods=ALL)
    precision: Precision = setting(
        "auto",
        "Precision",
        "Of the numbers inside the network. Auto takes bfloat16 where the prior allows it and the processor is fast at"
        " it, else float32.",
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check(field.name, getattr(self, field.name))

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ReconSettings:
        """Settings from a file or a card. Raises JobError for a name that is not a setting or a value out of range."""
        names = {f.name for f in dataclasses.fields(cls)}
        unknown = sorted(set(values) - names)
        if unknown:
            raise JobError(f"{unknown[0]!r} is not a setting.", "", f"Settings are {', '.join(sorted(names))}.")
        return cls(**values)

    def replace(self, **changes: Any) -> ReconSettings:
        return dataclasses.replace(self, **changes)


def help_of(name: str) -> Help:
    """The Help of a setting by its name."""
    field = next(f for f in dataclasses.fields(ReconSettings) if f.name == name)
    found: Help = field.metadata["help"]
    return found


def used_by(method: str) -> tuple[str, ...]:
    """The names of the settings that a method uses, in their order."""
    plugged = () if method in ALL else settings_used(method)
    fields = dataclasses.fields(ReconSettings)
    return tuple(f.name for f in fields if f.name in plugged or method in help_of(f.name).methods)


def type_of(name: str) -> Any:
    """The annotated type of a setting: int, float, bool, str or a Literal."""
    return _types()[name]


@cache
def _types() -> dict[str, Any]:
    """Evaluating the annotations takes a millisecond, which a form would pay for each field at each change."""
    return get_type_hints(ReconSettings)


def choices_of(name: str) -> tuple[str, ...]:
    """The values a setting can take if it is one of a few words, else (); a method may also be a plug-in's."""
    return get_args(type_of(name))


def _check(name: str, value: Any) -> None:
    about, choices, kind = help_of(name), choices_of(name), type_of(name)
    if choices:
        if value not in choices and not (name == "method" and value in METHODS.names()):
            raise JobError(f"{about.label} cannot be {value!r}.", "", f"Choose one of {', '.join(choices)}.")
    elif kind is str or kind is bool:
        if not isinstance(value, kind):
            raise JobError(f"{about.label} cannot be {value!r}.", f"It must be a {kind.__name__}.")
    else:
        _check_number(about, value, whole=kind is int)


def _check_number(about: Help, value: Any, *, whole: bool) -> None:
    good = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if good and about.low is not None and about.high is not None:
        good = about.low <= value <= about.high
    if not good:
        kind = "a whole number" if whole else "a number"
        raise JobError(
            f"{about.label} cannot be {value!r}.", "", f"It must be {kind} from {about.low:g} to {about.high:g}."
        )
