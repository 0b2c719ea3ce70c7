"""The mechanical route: the energy of any autonomous conservative system, as numbers.

    minimise cᵀ (W + λ R) c / cᵀ D c

over the coefficients c of a form's expansion (`libraries.energy_forms`). R is diagonal and grows
like ρ^(2k) with the degree k, as the coefficients of a smooth function fall; λ is the one that
leaves runs flattest which did not take part (cross-validation over runs). So one pencil has as many
terms as there may be, and the data tell how many count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from discovery.criteria import LAWS
from discovery.estimation.orbits import Orbits
from discovery.laws.finding.operators import Operators, noise_weights, operators, spectrum
from discovery.laws.judging.independence import independent
from discovery.laws.judging.law import Findings, Law, gradient_of
from discovery.laws.judging.verdict import Verdict
from discovery.laws.stages import Stage
from discovery.libraries.domain import Domain
from discovery.libraries.energy_forms import EnergyForm, energy_forms
from discovery.libraries.functions import Functions
from discovery.libraries.numeric import Numeric

# Parts of the runs for cross-validation; fewer runs in each tell nothing.
_FOLDS = 4
# Strengths λ of the penalty, and a typical one, in units of the noise of a typical term.
_STRENGTHS, _TYPICAL = 10.0 ** np.arange(-7, 0), 1e-4
# Rows that the runs have together, about.
_ROWS = 6000
# Flattest combinations that are looked at: known laws may be flatter than the energy.
_LEADING = 3
# Degrees whose share in an expansion tells what is left out of it.
_LAST = 3
# Points at which a law's form is tested.
_PROBES = 300
# A difference quotient's step, in spreads, and what is zero but for rounding.
_STEP, _ROUNDING = 1e-3, 1e-6


@dataclass(frozen=True)
class Mechanical(Stage):
    """Energies of one form, where no law found before is an energy.

    Attributes
    ----------
    form : EnergyForm
    """

    form: EnergyForm

    @property
    def name(self) -> str:
        """The library's, as numbers."""
        return f"{self.form.library.name}, as numbers"

    def __len__(self) -> int:
        return len(self.form.library)

    def libraries(self, fit: Orbits, found: Findings) -> list[Numeric] | None:
        """Return the flattest function that is no function of known laws; None beside an energy."""
        if fit.n_runs < _FOLDS:
            return None
        known = [law for law in found.laws if law.verdict == Verdict.EXACT]
        states = fit.smoothed.states
        probes = states[:: max(1, len(states) // _PROBES)]
        if any(_is_energy(law, self.form.momenta, probes, fit.scale) for law in known):
            return None
        library = self.form.library
        whole, penalty, typical = _penalized(self.form, fit)
        vectors = spectrum(replace(whole, within=whole.within + penalty)).vectors[:, :_LEADING]
        gradients = [gradient_of(library, c, probes, fit.scale) for c in vectors.T]
        obeyed = [law.gradient(probes, fit.scale) for law in (*known, *found.identities)]
        new = independent(gradients, obeyed, [LAWS.learned_sine] * len(gradients))
        if not new:
            return []
        c = self._of_unit_mass(vectors[:, new[0]], probes, fit.scale)
        domain = Domain.of(library, states, typical, LAWS.outermost)
        blur = self._blur(c, whole, penalty, fit.where(fit.in_long_runs(domain.holds(states))))
        describing = self.form.describing()
        return [Numeric(library, c[:, None], describing, domain=domain, blur=blur)]

    def _blur(self, c: np.ndarray, whole: Operators, penalty: np.ndarray, inside: Orbits) -> float:
        """Return the error of an expansion, as errors of states in spreads that move it as much.

        A part of what the last degrees changed in it along runs.
        """
        library, degrees = self.form.library, self.form.library.degrees
        if degrees.max() < 2 * _LAST:  # too few to tell how they fall
            return 0.0
        low = np.flatnonzero(degrees <= degrees.max() - _LAST)
        some = whole.restrict(low)
        rest = spectrum(replace(some, within=some.within + penalty[np.ix_(low, low)]))
        before = np.zeros(len(library))
        before[low] = rest.vectors[:, 0]
        states = inside.smoothed.states
        values = np.array([c, before]) @ library.values(states)
        values[1] = np.polyval(np.polyfit(values[1], values[0], 1), values[1])
        change = inside.along_runs(values[0] - values[1]).std()
        slope = np.sqrt(np.mean(np.sum(gradient_of(library, c, states, inside.scale) ** 2, axis=1)))
        return float(LAWS.truncation * change / slope)

    def _of_unit_mass(self, c: np.ndarray, probes: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return coefficients (m,) scaled so that the mean mass is 1, as in ½ w²."""
        library, units = self.form.library, np.ones(len(scale))
        masses = _masses(
            lambda at: gradient_of(library, c, at, units), self.form.momenta, probes, scale
        )
        mean = float(np.mean(np.median(np.diagonal(masses, axis1=1, axis2=2), axis=0)))
        return c / mean if mean else c


def _penalized(form: EnergyForm, fit: Orbits) -> tuple[Operators, np.ndarray, np.ndarray]:
    """Return a form's operators on all runs, the penalty that cross-validation chooses, a typical.

    Runs that take no part count where the others surround them: further out no penalty helps. The
    typical penalty says where that is, there and where the law is judged.
    """
    library, runs = form.library, np.arange(fit.n_runs)
    thin = fit.thinned(_ROWS)
    own = [thin.take(runs[k::_FOLDS]) for k in range(_FOLDS)]
    folds = [_operators(library, fold) for fold in own]
    plain = _mean(folds)
    degrees = library.degrees
    rising = np.where(degrees > 0, np.exp(degrees), 0.0) * np.median(np.diag(plain.dirichlet))
    typical = np.diag(_TYPICAL * rising)
    # What noise does to the energy of all runs weighs samples: a part of them has no such estimate.
    leading = spectrum(replace(plain, within=plain.within + typical)).vectors[:, :1]
    folds = [_operators(library, fold, leading) for fold in own]
    whole = _mean(folds)
    judges = []
    for k, fold in enumerate(own):
        rest = thin.take(np.delete(runs, np.s_[k::_FOLDS])).smoothed.states
        holds = Domain.of(library, rest, typical, LAWS.outermost).holds(fold.smoothed.states)
        inside = fold.in_long_runs(holds)
        judges.append(
            _operators(library, fold.where(inside), leading) if inside.any() else folds[k]
        )
    least, best = np.inf, np.zeros_like(whole.within)
    for strength in _STRENGTHS:
        penalty = np.diag(strength * rising)
        flatness = []
        for k, judge in enumerate(judges):
            rest = _mean(folds[:k] + folds[k + 1 :])
            c = spectrum(replace(rest, within=rest.within + penalty)).vectors[:, 0]
            flatness.append((c @ judge.within @ c) / (c @ judge.dirichlet @ c))
        # A part with a run at the edge would decide alone in a plain mean.
        mean = float(np.mean(np.log(np.maximum(flatness, 1e-300))))
        if mean < least:
            least, best = mean, penalty
    return whole, best, typical


def _operators(library: Functions, orbits: Orbits, leading: np.ndarray | None = None) -> Operators:
    """Return operators, weighted where noise moves a function (m, 1) unevenly."""
    parts = library, orbits.smoothed, orbits.offsets, orbits.scale
    weights = None if leading is None else noise_weights(library, orbits.smoothed, leading)
    return operators(*parts, weights)


def _mean(parts: Sequence[Operators]) -> Operators:
    return Operators(*np.mean([part.matrices for part in parts], axis=0))


def _is_energy(law: Law, momenta: Sequence[int], probes: np.ndarray, scale: np.ndarray) -> bool:
    """Tell whether a law has a definite second derivative in the momenta at most probes."""
    masses = _masses(lambda at: law.gradient(at, scale), momenta, probes, scale)
    levels = np.linalg.eigvalsh((masses + np.swapaxes(masses, 1, 2)) / 2)
    clear = _ROUNDING * np.abs(levels).max(axis=1)
    return bool(np.mean((levels[:, 0] > clear) | (levels[:, -1] < -clear)) > 0.5)


def _masses(
    gradient: Callable[[np.ndarray], np.ndarray],
    momenta: Sequence[int],
    probes: np.ndarray,
    scale: np.ndarray,
) -> np.ndarray:
    """Return how gradients in the momenta change with these, (n, w, w), at probes (n, d)."""
    w, columns = list(momenta), []
    for i in w:
        step = np.zeros(len(scale))
        step[i] = _STEP * scale[i]
        change = gradient(probes + step) - gradient(probes - step)
        columns.append(change[:, w] / (2 * step[i]))
    return np.stack(columns, axis=2)


def mechanical_stages(
    names: Sequence[str], roles: Sequence[str | None], orbits: Orbits
) -> list[Stage]:
    """Return the stages for positions with as many velocities or momenta; none for others.

    Parameters
    ----------
    names, roles : sequences of length d
    orbits : Orbits
        All runs: the ranges of positions are theirs.
    """
    return [Mechanical(form) for form in energy_forms(names, roles, orbits.smoothed.states)]
