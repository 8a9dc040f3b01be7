"""Which tests judge a change of which file: the quick ones that concern it, the likeliest to notice first."""

from __future__ import annotations

SOLVERS, OPERATORS, DIFFUSION = "core/solvers", "core/operators", "core/diffusion"

SLOW = ["-m", "not slow", "-k", "not sigpy and not 50-0.85 and not heavy_tie"]
"""What takes seconds and tells nothing that quick tests do not."""

JUDGES: dict[str, tuple[str, ...]] = {
    f"{SOLVERS}/baselines.py": ("solvers/test_cg.py",),
    f"{SOLVERS}/cg.py": ("solvers/test_cg.py", "diffusion/test_dds.py"),
    f"{SOLVERS}/cgls.py": ("solvers/test_cgls_sirt.py",),
    f"{SOLVERS}/circle.py": ("solvers/test_fdk.py",),
    f"{SOLVERS}/differences.py": ("solvers/test_penalties.py", "solvers/test_slice_tie.py"),
    f"{SOLVERS}/fbp.py": ("solvers/test_fbp.py",),
    f"{SOLVERS}/fdk.py": ("solvers/test_fdk.py",),
    f"{SOLVERS}/l1_wavelet.py": ("solvers/test_penalties.py",),
    f"{SOLVERS}/ramp.py": ("solvers/test_fbp.py",),
    f"{SOLVERS}/redundancy.py": ("solvers/test_fbp.py", "solvers/test_fdk.py"),
    f"{SOLVERS}/sirt.py": ("solvers/test_cgls_sirt.py",),
    f"{SOLVERS}/slice_tie.py": ("solvers/test_slice_tie.py",),
    f"{SOLVERS}/total_variation.py": ("solvers/test_penalties.py", "solvers/test_slice_tie.py"),
    f"{SOLVERS}/wavelet.py": ("solvers/test_penalties.py",),
    f"{OPERATORS}/coils.py": ("operators/test_coils.py",),
    f"{OPERATORS}/cone.py": ("operators/test_cone.py",),
    f"{OPERATORS}/cone_torch.py": ("operators/test_cone.py",),
    f"{OPERATORS}/fan.py": ("operators/test_fan.py", "operators/test_parallel.py"),
    f"{OPERATORS}/joseph.py": ("operators/test_parallel.py", "operators/test_fan.py", "operators/test_matrix_cache.py"),
    f"{OPERATORS}/linear.py": (
        "operators/test_linear.py",
        "operators/test_sense.py",
        "operators/test_repeated.py",
        "diffusion/test_dds.py",
    ),
    f"{OPERATORS}/masks.py": ("operators/test_masks.py",),
    f"{OPERATORS}/matrix_cache.py": ("operators/test_matrix_cache.py",),
    f"{OPERATORS}/parallel.py": ("operators/test_parallel.py", "operators/test_fan.py"),
    f"{OPERATORS}/photons.py": ("operators/test_parallel.py",),
    f"{OPERATORS}/planes.py": ("operators/test_planes.py",),
    f"{OPERATORS}/plugged.py": ("test_plugins.py",),
    f"{OPERATORS}/repeated.py": ("operators/test_repeated.py",),
    f"{OPERATORS}/sense.py": ("operators/test_sense.py", "operators/test_planes.py"),
    f"{OPERATORS}/slicewise.py": (
        "operators/test_parallel.py",
        "operators/test_fan.py",
        "operators/test_matrix_cache.py",
    ),
    f"{OPERATORS}/thinning.py": ("operators/test_thinning.py",),
    f"{OPERATORS}/tomography.py": ("operators/test_parallel.py", "operators/test_fan.py", "operators/test_cone.py"),
    f"{OPERATORS}/undersample.py": ("operators/test_masks.py", "operators/test_planes.py"),
    f"{OPERATORS}/weighted.py": ("operators/test_weighted.py",),
    f"{DIFFUSION}/dds.py": ("diffusion/test_dds.py", "test_golden.py"),
    f"{DIFFUSION}/parametrization.py": ("diffusion/test_schedule.py", "diffusion/test_dds.py"),
    f"{DIFFUSION}/schedule.py": ("diffusion/test_schedule.py", "test_golden.py"),
}


def arguments(path: str) -> list[str]:
    """For pytest."""
    return [*(f"tests/core/{name}" for name in JUDGES[path]), *SLOW]
