"""The settings that the next run will have. Changing them touches no run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psygnal import Signal

from app.state.weights import usual_gamma, usual_lam, with_weights
from core.engine.presets import presets_for, settings_for
from core.engine.settings import ReconSettings


@dataclass(frozen=True)
class PriorChoice:
    """A prior that can be chosen: its name and one line about it."""

    name: str
    about: str = ""


class Choice:
    """Settings, undersampling on purpose ("KIND:R:ACS:SEED" or "") and whether only the shown slice is wanted.

    defaults: what suits the chosen prior. presets: named settings that are offered with it.
    """

    changed = Signal()
    offers_changed = Signal()

    def __init__(self) -> None:
        self.defaults = settings_for()
        self.settings = self.defaults
        self.presets: dict[str, dict[str, Any]] = presets_for(self.defaults.prior)
        self.undersample = ""
        self.only_this_slice = False
        self.priors: tuple[PriorChoice, ...] = ()
        self.cuda = False

    @property
    def preset(self) -> str:
        """The name of the preset that the settings agree with, or ""."""
        now = self.settings.to_dict()
        return next((n for n, v in self.presets.items() if all(now[k] == x for k, x in v.items())), "")

    def set(self, **values: Any) -> None:
        """Change settings. Raises JobError, and changes nothing, for a value out of range."""
        changed = self.settings.replace(**with_weights(self.settings, values, self.defaults))
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
            return usual_lam(self.settings.method)
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

    def set_only_this_slice(self, only: bool) -> None:
        self.only_this_slice = only
        self.changed.emit()

    def offer(self, priors: tuple[PriorChoice, ...], cuda: bool) -> None:
        """What this machine has."""
        self.priors, self.cuda = priors, cuda
        self.offers_changed.emit()
