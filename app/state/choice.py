"""The settings that the next run will have. Changing them touches no run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psygnal import Signal

from app.state.kinds import modality_of
from app.state.weights import usual_gamma, usual_iterations, usual_lam, with_weights
from core.engine.offers import methods_for, settings_of
from core.engine.presets import default_prior, presets_for, settings_for
from core.engine.settings import ReconSettings, used_by
from core.scan import Scan


@dataclass(frozen=True)
class PriorChoice:
    """A prior that can be chosen: its name, one line about it, and the modality on its card."""

    name: str
    about: str = ""
    modality: str = ""


class Choice:
    """Settings, undersampling on purpose, rotation axis, image size, and whether only the shown slice is wanted.

    defaults: what suits the chosen prior. presets: named settings that are offered with it. undersample: as in
    core.engine.job.ScanSource, "" for none. center: detector column of the rotation axis, None for the one found.
    size: pixels a side of a CT image, 0 for what suits the scan.
    """

    changed = Signal()
    offers_changed = Signal()

    def __init__(self) -> None:
        self.defaults = settings_for()
        self.settings = self.defaults
        self.presets: dict[str, dict[str, Any]] = presets_for(self.defaults.prior)
        self.undersample = ""
        self.center: float | None = None
        self.size = 0
        self._scan: Scan | None = None
        self.only_this_slice = False
        self.priors: tuple[PriorChoice, ...] = ()
        self.cuda = False

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that the open scan allows; none while there is no scan."""
        return methods_for(self._scan) if self._scan is not None else ()

    @property
    def used(self) -> tuple[str, ...]:
        """The settings that the chosen method uses on the open scan."""
        method = self.settings.method
        return settings_of(method, self._scan) if self._scan is not None else used_by(method)

    @property
    def suitable_priors(self) -> tuple[PriorChoice, ...]:
        """The priors of this machine, those of the open scan's modality first."""
        if self._scan is None:
            return self.priors
        wanted = modality_of(self._scan)
        return tuple(sorted(self.priors, key=lambda prior: not prior.modality.upper().startswith(wanted)))

    @property
    def usual_prior(self) -> str:
        """The bundled prior for the open scan."""
        return default_prior(self._scan) if self._scan is not None else ReconSettings.prior

    def open(self, scan: Scan) -> None:
        """Another scan: all of it, as it was measured. One of another kind brings its own prior and settings."""
        known = self.usual_prior
        self._scan = scan
        usual = self.usual_prior
        self.undersample, self.center, self.size, self.only_this_slice = "", None, 0, False
        if usual != known:
            self.defaults = settings_for(prior=usual)
            self.presets = presets_for(usual)
            self.settings = self.defaults.replace(device=self.settings.device)
        elif self.settings.method not in self.methods:
            self.settings = self.settings.replace(method=self.methods[0])
        self.changed.emit()
        self.offers_changed.emit()

    @property
    def preset(self) -> str:
        """The name of the preset that the settings agree with, or ""."""
        now = self.settings.to_dict()
        return next((n for n, v in self.presets.items() if all(now[k] == x for k, x in v.items())), "")

    def set(self, **values: Any) -> None:
        """Change settings. Raises JobError, and changes nothing, for a value out of range."""
        changed = self.settings.replace(**with_weights(self.settings, values, self.defaults, self._scan))
        if changed.prior != self.settings.prior:
            changed = self._with_prior(changed)
        self.settings = changed
        self.changed.emit()

    def _with_prior(self, changed: ReconSettings) -> ReconSettings:
        """Defaults and presets of another prior; settings that nobody has touched follow them."""
        untouched = self.settings == self.defaults
        self.defaults = settings_for(prior=changed.prior)
        self.presets = presets_for(changed.prior)
        return self.defaults if untouched else changed

    def default_of(self, name: str) -> Any:
        """What a setting goes back to; the weight of a penalty follows the method, gamma follows its rule."""
        if name == "lam":
            return usual_lam(self.settings.method, self._scan, self.defaults)
        if name == "iterations":
            return usual_iterations(self.settings.method)
        if name == "gamma":
            return usual_gamma(self.settings.gamma_rule, self.defaults)
        return getattr(self.defaults, name)

    def reset(self, name: str) -> None:
        self.set(**{name: self.default_of(name)})

    def cost_of(self, preset: str) -> float:
        """How long a run with a preset takes, as a multiple of one with the settings that suit the prior.

        By the network evaluations, on which a run with a prior spends its time.
        """
        values = self.presets[preset]
        nfe, samples = values.get("nfe", self.defaults.nfe), values.get("samples", self.defaults.samples)
        return float(nfe * samples / (self.defaults.nfe * self.defaults.samples))

    def set_undersample(self, text: str) -> None:
        self.undersample = text
        self.changed.emit()

    def set_center(self, center: float | None) -> None:
        self.center = center
        self.changed.emit()

    def set_size(self, size: int) -> None:
        self.size = size
        self.changed.emit()

    def set_only_this_slice(self, only: bool) -> None:
        self.only_this_slice = only
        self.changed.emit()

    def offer(self, priors: tuple[PriorChoice, ...], cuda: bool) -> None:
        """What this machine has."""
        self.priors, self.cuda = priors, cuda
        self.offers_changed.emit()
