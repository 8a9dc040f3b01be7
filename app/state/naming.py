"""Names of runs and images: they say the method and the settings, so that results can be told apart."""

from __future__ import annotations

from app.state.weights import usual_lam
from core.engine.job import JobSpec
from core.engine.settings import LAST_TIMESTEP, ReconSettings, help_of

METHODS = {
    "dds": "DDS",
    "cg-sense": "CG-SENSE",
    "l1-wavelet": "L1-wavelet",
    "tv": "TV",
    "zero-filled": "Zero-filled",
}
"""Methods as a person writes them."""

ON_THE_WAY = ("zero-filled", "cg-sense")
"""Methods whose images every run makes on its way, simplest first."""


def run_name(job: JobSpec) -> str:
    """Such as "DDS 20, CG 5, gamma 5, eta 0.15": the method, and every setting of weight."""
    settings, source = job.settings, job.source
    parts = _dds_parts(settings) if settings.method == "dds" else _classical_parts(settings)
    if source.slices:
        first, end = source.slices
        parts.append(f"slice {end}" if end - first == 1 else f"slices {first + 1} to {end}")
    if source.undersample:
        kind, *numbers = source.undersample.split(":")
        parts.append(f"{kind} R {numbers[0]}" if numbers else kind)
    return ", ".join(parts)


def _dds_parts(settings: ReconSettings) -> list[str]:
    usual = ReconSettings()
    parts = [f"DDS {settings.nfe}", f"CG {settings.cg_steps}"]
    parts.append("noiseless" if settings.noiseless else f"{gamma_words(settings.gamma_rule)} {settings.gamma:g}")
    parts.append(f"eta {settings.eta:g}")
    if settings.samples > 1:
        parts.append(f"{settings.samples} samples")
    if settings.t_start != LAST_TIMESTEP:
        parts.append(f"from t {settings.t_start}")
    if settings.spacing != usual.spacing:
        parts.append(settings.spacing)
    if settings.seed != usual.seed:
        parts.append(f"seed {settings.seed}")
    if settings.precision != usual.precision:
        parts.append(settings.precision)
    if settings.prior != usual.prior:
        parts.append(settings.prior.replace("\\", "/").rsplit("/", 1)[-1])
    return parts


def _classical_parts(settings: ReconSettings) -> list[str]:
    """The method and its weight; without it for the CG-SENSE that every run makes on its way."""
    method = settings.method
    parts = [METHODS.get(method, method)]
    quick = method in ON_THE_WAY and settings.lam == usual_lam(method)
    if method in help_of("lam").methods and not quick:
        parts.append(f"lambda {settings.lam:g}")
    return parts


def gamma_words(rule: str) -> str:
    """What gamma is called under a rule."""
    return "gamma" if rule == "constant" else "noise gamma ×"


def classical_caption(method: str) -> str:
    """Such as "CG-SENSE (classical)"."""
    return f"{METHODS.get(method, method)} (classical)"


def picture_name(settings: ReconSettings, view: str) -> str:
    """What one of the pictures of a run is called where it is chosen."""
    if view == "result":
        several = settings.method == "dds" and settings.samples > 1
        return f"Mean of {settings.samples} samples" if several else f"{METHODS[settings.method]} result"
    return METHODS.get(view, view.capitalize())


def file_name(scan: str, run: str, *, spread: bool = False) -> str:
    """A name for the file of a result, from the names of its scan's file and its run."""
    name = f"{scan.split('.')[0]} {run}{', spread' if spread else ''}"
    for known, plain in ((", ", "_"), (" ", "-"), ("#", ""), ("×", "x")):
        name = name.replace(known, plain)
    return f"{name}.npy"


def settings_lines(settings: ReconSettings) -> list[str]:
    """Every setting that the method uses, one "Label: value unit" each."""
    lines = []
    for name, value in settings.to_dict().items():
        about = help_of(name)
        if settings.method in about.methods:
            lines.append(f"{about.label}: {value} {about.unit}".rstrip())
    return lines


def duration(seconds: float) -> str:
    """Such as "8 s", "2 min 5 s", "3 h 20 min"."""
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def times_as_long(factor: float) -> str:
    """Such as "about 4 times as long", "about half as long", "" for about the same."""
    if factor >= 1.75:
        return f"about {factor:.0f} times as long"
    if factor >= 1.25:
        return "about one and a half times as long"
    if factor > 0.8:
        return ""
    return "about half as long" if factor > 0.4 else f"about 1/{1 / factor:.0f} as long"
