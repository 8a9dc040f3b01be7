"""Names of runs and images: they say the method and the settings, so that results can be told apart."""

from __future__ import annotations

import math
from dataclasses import replace

from app.state.kinds import on_the_way
from app.state.weights import usual_lam
from core.engine.job import JobSpec
from core.engine.methods import label_of
from core.engine.presets import default_prior
from core.engine.settings import LAST_TIMESTEP, ReconSettings, help_of, used_by
from core.export.dicom_identity import tells
from core.formats.identity import Identity
from core.scan import Scan

METHODS = {
    "dds": "DDS",
    "cg-sense": "CG-SENSE",
    "l1-wavelet": "L1-wavelet",
    "tv": "TV",
    "zero-filled": "Zero-filled",
    "fbp": "FBP",
    "fdk": "FDK",
    "cgls": "CGLS",
    "sirt": "SIRT",
}
"""Methods as a person writes them."""


def method_words(method: str) -> str:
    """A method as a person writes it; that of a plug-in as the plug-in calls itself."""
    return METHODS.get(method) or label_of(method)


FILTERS = {"hann": "Hann", "ramp": "ramp", "cosine": "cosine", "shepp-logan": "Shepp-Logan"}
"""Windows on the ramp as a person writes them."""


def run_name(job: JobSpec) -> str:
    """Such as "DDS 20, CG 5, gamma 5, eta 0.15": the method, and every setting of weight."""
    settings, source = job.settings, job.source
    if settings.method == "dds":
        parts = _dds_parts(settings, ReconSettings(prior=default_prior(job.scan)) if job.scan else ReconSettings())
    else:
        parts = _classical_parts(settings, job.scan)
    if source.slices:
        first, end = source.slices
        parts.append(f"slice {end}" if end - first == 1 else f"slices {first + 1} to {end}")
    if source.undersample:
        parts.append(undersampling_words(source.undersample))
    if source.center is not None:
        parts.append(f"axis at column {source.center:g}")
    if source.size:
        parts.append(f"{source.size} × {source.size} pixels")
    if job.start is not None:
        parts.append(f"from step {job.start.step}")
    return ", ".join(parts)


def branch_words(job: JobSpec) -> str:
    """Which run another branches from, such as "Branched after step 7 of DDS 20, CG 5"; "" for none."""
    if job.start is None:
        return ""
    return f"Branched after step {job.start.step} of {run_name(replace(job.start.job, scan=job.scan))}"


def undersampling_words(text: str) -> str:
    """Such as "gaussian1d R 4", "every 6th view", "arc 0 to 90 degrees, 30 views"."""
    return ", ".join(_undersampling_part(*part.split(":")) for part in text.split("+"))


def _undersampling_part(kind: str, *numbers: str) -> str:
    if kind in _VIEWS and numbers:
        return _VIEWS[kind].format(*numbers, ordinal=ordinal(numbers[0]))
    return f"{kind} R {numbers[0]}" if numbers else kind


_VIEWS = {"every": "every {ordinal} view", "views": "{0} views", "arc": "arc {0} to {1} degrees"}


def ordinal(number: str) -> str:
    """Such as "2nd", "3rd", "11th"."""
    endings = {"1": "st", "2": "nd", "3": "rd"}
    return number + ("th" if number[-2:-1] == "1" else endings.get(number[-1:], "th"))


def _dds_parts(settings: ReconSettings, usual: ReconSettings) -> list[str]:
    """usual: what goes without saying."""
    parts = [f"DDS {settings.nfe}", f"CG {settings.cg_steps}"]
    parts.append("noiseless" if settings.noiseless else f"{gamma_words(settings.gamma_rule)} {settings.gamma:g}")
    parts.append(f"eta {settings.eta:g}")
    if settings.rho > 0:
        parts.append(f"slice tie rho {settings.rho:g}, lambda {settings.lam:g}")
    if settings.samples > 1:
        parts.append(f"{settings.samples} samples")
    if settings.t_start != LAST_TIMESTEP:
        parts.append(f"from t {settings.t_start}")
    if settings.spacing != usual.spacing:
        parts.append(settings.spacing)
    parts += _weighting_parts(settings)
    if settings.seed != usual.seed:
        parts.append(f"seed {settings.seed}")
    if settings.precision != usual.precision:
        parts.append(settings.precision)
    if settings.prior != usual.prior:
        parts.append(settings.prior.replace("\\", "/").rsplit("/", 1)[-1])
    return parts


def _classical_parts(settings: ReconSettings, scan: Scan | None) -> list[str]:
    """The method with its weight, iterations or filter; the usual weight of what every run makes is not told."""
    method, usual = settings.method, ReconSettings()
    quick = method in on_the_way(scan)
    parts = [method_words(method)]
    if method in help_of("lam").methods and not (quick and settings.lam == usual_lam(method, scan)):
        parts.append(f"lambda {settings.lam:g}")
    if method in help_of("iterations").methods:
        parts.append(f"{settings.iterations} iterations")
    if method in help_of("filter").methods and settings.filter != usual.filter:
        parts.append(f"{FILTERS[settings.filter]} filter")
    return parts + _weighting_parts(settings)


def _weighting_parts(settings: ReconSettings) -> list[str]:
    parts = []
    if settings.method in help_of("weight").methods and settings.weight == "photons":
        parts.append("photon weights")
    if settings.method in help_of("nonnegative").methods and not settings.nonnegative:
        parts.append("negative allowed")
    return parts


def gamma_words(rule: str) -> str:
    """What gamma is called under a rule."""
    return "gamma" if rule == "constant" else "noise gamma ×"


def classical_caption(method: str) -> str:
    """Such as "CG-SENSE (classical)"."""
    return f"{method_words(method)} (classical)"


def picture_name(settings: ReconSettings, view: str) -> str:
    """What one of the pictures of a run is called where it is chosen."""
    if view == "result":
        several = settings.method == "dds" and settings.samples > 1
        return f"Mean of {settings.samples} samples" if several else f"{method_words(settings.method)} result"
    return METHODS.get(view, view.capitalize())


def file_name(scan: str, run: str, *, spread: bool = False) -> str:
    """A name for the file of a result, from the names of its scan's file and its run."""
    ending = ", spread" if spread else ""
    return _plain(f"{scan.split('.')[0]} {run}{ending}") + ".npy"


def item_file_name(item: str) -> str:
    """A name for the file of a volume of the viewing room."""
    stem = item.removesuffix(".gz").removesuffix(".nii").removesuffix(".nrrd").removesuffix(".dcm")
    return _plain(stem) + ".dcm"


def _plain(name: str) -> str:
    """Without what is awkward in a file's name."""
    for known, plain in ((", ", "_"), (" ", "-"), ("#", ""), ("×", "x"), ("/", "-")):
        name = name.replace(known, plain)
    return name


def public_name(name: str, identity: Identity, otherwise: str) -> str:
    """The name of a file as it may be seen by others: `otherwise` where it tells who was scanned."""
    return otherwise if tells(name, identity) else name


def simulated_name(volume: str) -> str:
    """A name for the file of a scan that is simulated from a volume."""
    return f"{volume.split('.')[0]}-simulated.h5"


def settings_lines(settings: ReconSettings) -> list[str]:
    """Every setting that the method uses, one "Label: value unit" each."""
    lines = []
    used = used_by(settings.method)
    for name, value in settings.to_dict().items():
        about = help_of(name)
        if name in used:
            lines.append(f"{about.label}: {value} {about.unit}".rstrip())
    return lines


_DAYS = 2 * 86400


def duration(seconds: float) -> str:
    """Such as "8 s", "2 min 5 s", "3 h 20 min", "4 days"; "?" for no number."""
    if not math.isfinite(seconds):
        return "?"
    whole = max(round(seconds), 0)
    if whole >= _DAYS:
        return f"{whole // 86400} days"
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
