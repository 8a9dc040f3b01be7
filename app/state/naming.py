"""Names of runs and images: they say the method and the settings, so that results can be told apart."""

from __future__ import annotations

from core.engine.job import JobSpec
from core.engine.settings import LAST_TIMESTEP, ReconSettings, help_of

CLASSICAL = {"cg-sense": "CG-SENSE", "zero-filled": "Zero-filled"}


def run_name(job: JobSpec) -> str:
    """Such as "DDS 20, CG 5, gamma 5, eta 0.15": the method, and every setting of weight."""
    settings, source = job.settings, job.source
    parts = [CLASSICAL.get(settings.method, "")] if settings.method != "dds" else _dds_parts(settings)
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
    parts.append("noiseless" if settings.noiseless else f"gamma {settings.gamma:g}")
    parts.append(f"eta {settings.eta:g}")
    if settings.t_start != LAST_TIMESTEP:
        parts.append(f"from t {settings.t_start}")
    if settings.spacing != usual.spacing:
        parts.append(settings.spacing)
    if settings.seed != usual.seed:
        parts.append(f"seed {settings.seed}")
    if settings.prior != usual.prior:
        parts.append(settings.prior.replace("\\", "/").rsplit("/", 1)[-1])
    return parts


def classical_caption(method: str) -> str:
    """Such as "CG-SENSE (classical)"."""
    return f"{CLASSICAL.get(method, method)} (classical)"


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
