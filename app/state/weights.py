"""The weights that suit each method and each rule where the user has chosen none."""

from __future__ import annotations

from typing import Any

from core.engine.presets import GAMMA_OF_RULE, METHOD_ITERATIONS, METHOD_LAM, usual
from core.engine.settings import ReconSettings
from core.scan import Scan


def usual_lam(method: str, scan: Scan | None = None, defaults: ReconSettings | None = None) -> float:
    """The weight of the penalty that suits a method on a scan; the defaults know the one of DDS."""
    own = usual(scan, method).get("lam") if scan is not None else None
    return float(own or METHOD_LAM.get(method, defaults.lam if defaults else ReconSettings.lam))


def usual_iterations(method: str) -> int:
    """How many iterations suit a method."""
    return METHOD_ITERATIONS.get(method, ReconSettings.iterations)


def usual_gamma(rule: str, defaults: ReconSettings) -> float:
    """The gamma that suits a rule: that of the defaults if they follow it."""
    return defaults.gamma if rule == defaults.gamma_rule else GAMMA_OF_RULE[rule]


def with_weights(
    settings: ReconSettings, changes: dict[str, Any], defaults: ReconSettings, scan: Scan | None = None
) -> dict[str, Any]:
    """The changes, and the weights that follow from them on a scan.

    Another method brings its usual lam and iterations, unless the user has chosen their own. Another rule always brings
    its usual gamma: the number means something else then.
    """
    method, rule = changes.get("method", settings.method), changes.get("gamma_rule", settings.gamma_rule)
    following: dict[str, Any] = {}
    if method != settings.method and settings.lam == usual_lam(settings.method, scan, defaults):
        following["lam"] = usual_lam(method, scan, defaults)
    if method != settings.method and settings.iterations == usual_iterations(settings.method):
        following["iterations"] = usual_iterations(method)
    if rule != settings.gamma_rule:
        following["gamma"] = usual_gamma(rule, defaults)
    return {**following, **changes}
