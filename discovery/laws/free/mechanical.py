"""The mechanical route: the energy of any autonomous conservative system, as numbers.

And any smooth function of two coordinates, where neither is a momentum.

    minimise cᵀ (W + λ R) c / cᵀ D c

over the coefficients c of a form's expansion (`libraries.energy_forms`). R is diagonal and grows
like ρ^(2k) with the degree k, as the coefficients of a smooth function fall; λ is the one that
leaves runs flattest which did not take part (cross-validation over runs). So one pencil has as many
terms as there may be, and the data tell how many count.

Where a momentum is known to be conserved the energy does not depend on its coordinate, for
∂h/∂q = −dp/dt: what is left has fewer variables, and goes to a higher degree. What is known
already, squares of momenta and all, is taken out of the expansion: with it any λ is as good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from discovery.criteria import LAWS
from discovery.estimation.orbits import Orbits, without_means
from discovery.laws.finding.operators import (
    Once,
    Operators,
    noise_weights,
    operators,
    spectrum,
)
from discovery.laws.free.description import LAST, Flat, measured
from discovery.laws.judging.independence import independent
from discovery.laws.judging.law import Findings, Law, gradient_of
from discovery.laws.judging.verdict import Verdict
from discovery.laws.stage import Stage
from discovery.libraries.domain import Domain
from discovery.libraries.energy_forms import EnergyForm, energy_forms, function_form
from discovery.libraries.functions import Functions
from discovery.libraries.monomials import monomials
from discovery.libraries.numeric import Numeric

# Parts of the runs for cross-validation; fewer runs in each tell nothing.
_FOLDS = 4
# Strengths λ of the penalty, and a typical one, in units of the noise of a typical term.
_STRENGTHS, _TYPICAL = 10.0 ** np.arange(-7, 0), 1e-4
# Rows that the runs have together, about.
_ROWS = 6000
# Flattest combinations that are looked at: known laws may be flatter than the energy.
_LEADING = 3
# Points at which a law's form is tested.
_PROBES = 300
# What a sum of terms may leave of a known law that is one of them: an expansion ends somewhere.
_NEARLY = 0.1
# A difference quotient's step, in spreads, and what is zero but for rounding.
_STEP, _ROUNDING = 1e-3, 1e-6


@dataclass(frozen=True)
class Mechanical(Stage):
    """Energies of one form, where no law found before is an energy.

    Attributes
    ----------
    form : EnergyForm
    stretched : EnergyForm or None
        The same on stretched axes: of the two it is the one that moves least on runs that it was
        not fitted to.
    """

    form: EnergyForm
    stretched: EnergyForm | None = None

    @property
    def name(self) -> str:
        """The library's, as numbers."""
        return f"{self.form.library.name}, as numbers"

    def __len__(self) -> int:
        return len(self.form.library)

    def libraries(self, fit: Orbits, found: Findings) -> list[Numeric] | None:
        """Return the flattest function that is no function of known laws; None beside an energy.

        Without momenta, none beside any law.
        """
        if self.is_needless(fit, found):
            return None
        cyclic = self._cyclic(_exact(found), _probes(fit), fit.scale)
        forms = [f.without(cyclic) for f in (self.form, self.stretched) if f is not None]
        ways = [Mechanical(form) for form in forms if form.axes]
        ways = [way for way in ways if way.promised(fit, found)]
        if not ways:
            return []
        fitted = [_penalized(way.form, fit, _exact(found)) for way in ways]
        best = int(np.argmin([some.left for some in fitted]))
        return ways[best]._flattest(fitted[best], fit, found)

    def is_needless(self, fit: Orbits, found: Findings) -> bool:
        """Tell whether runs are too few, or an energy is known where one is looked for."""
        if fit.n_runs < _FOLDS:
            return True
        known, momenta = _exact(found), self.form.momenta
        if not momenta:
            return bool(known)
        probes = _probes(fit)
        return self.form.is_quadratic and _hold_energy(known, momenta, probes, fit.scale)

    def promised(self, fit: Orbits, found: Findings) -> list[Flat]:
        """Return how flat the expansion's new functions are on the runs that they are fitted to.

        Next to no penalty makes them as flat as they can be: what moves then is no law.
        """
        some = _unpenalized(self.form, fit, _exact(found))
        vectors = some.flattest(some.whole)[:, :_LEADING]
        flat = [measured(some.whole, c) for c in vectors.T]
        new = self._new(vectors, fit, found)
        return [flat[k] for k in new if flat[k].promising]

    def _new(self, vectors: np.ndarray, fit: Orbits, found: Findings) -> list[int]:
        """Return which combinations (m, k) are no functions of known laws nor of each other."""
        probes = _probes(fit)
        own = [gradient_of(self.form.library, c, probes, fit.scale) for c in vectors.T]
        obeyed = [law.gradient(probes, fit.scale) for law in (*_exact(found), *found.identities)]
        return independent(own, obeyed, [LAWS.learned_sine] * len(own))

    def _flattest(self, some: Penalized, fit: Orbits, found: Findings) -> list[Numeric]:
        library, states = self.form.library, fit.smoothed.states
        vectors = some.flattest(some.whole)[:, :_LEADING]
        new = self._new(vectors, fit, found)
        if not new:
            return []
        c = self._of_unit_mass(vectors[:, new[0]], _probes(fit), fit.scale)
        domain = Domain.of(library, states, some.typical, LAWS.outermost)
        where = fit.in_long_runs(domain.holds(states))
        if not where.any():  # nowhere do data surround the states of a run
            return []
        inside = fit.where(where)
        describing = self.form.describing()
        blur = self._blur(c, some, inside)
        number = 1 + sum(law.library.learned for law in _exact(found))
        return [Numeric(library, c[:, None], describing, [number], domain, blur)]

    def _cyclic(self, known: Sequence[Law], probes: np.ndarray, scale: np.ndarray) -> list[int]:
        """Return the positions whose momenta, each alone, are known laws."""
        slopes = [np.abs(law.gradient(probes, scale)).mean(axis=0) for law in known]
        alone = {
            int(slope.argmax()) for slope in slopes if np.sum(slope > _ROUNDING * slope.max()) == 1
        }
        return [column for column, momentum in self.form.pairs if momentum in alone]

    def _blur(self, c: np.ndarray, some: Penalized, inside: Orbits) -> float:
        """Return the error of an expansion, as errors of states in spreads that move it as much.

        A part of what the last degrees changed in it along runs, and what noise put into its
        coefficients.
        """
        library, degrees = self.form.library, self.form.library.degrees
        states = inside.smoothed.states
        run = np.repeat(np.arange(inside.n_runs), np.diff(inside.offsets))
        rest = without_means(c @ library.values(states), run)
        error = some.error(c, _independent(rest, run))
        if degrees.max() >= 2 * LAST:  # else too few to tell how they fall
            low = np.flatnonzero(degrees <= degrees.max() - LAST)
            before = some.flattest(some.whole, low)[:, 0]
            values = np.array([c, before]) @ library.values(states)
            values[1] = np.polyval(np.polyfit(values[1], values[0], 1), values[1])
            change = without_means(values[0] - values[1], run).std()
            error = np.hypot(error, LAWS.truncation * change)
        slope = np.sqrt(np.mean(np.sum(gradient_of(library, c, states, inside.scale) ** 2, axis=1)))
        return float(error / slope)

    def _of_unit_mass(self, c: np.ndarray, probes: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return coefficients (m,) scaled so that the mean mass is 1, as in ½ w²."""
        library, units = self.form.library, np.ones(len(scale))
        if not self.form.is_quadratic:
            return c / np.std(c @ library.values(probes))
        masses = _masses(
            lambda at: gradient_of(library, c, at, units), self.form.momenta, probes, scale
        )
        mean = float(np.mean(np.median(np.diagonal(masses, axis1=1, axis2=2), axis=0)))
        return c / mean if mean else c


@dataclass(frozen=True)
class Penalized:
    """A form's pencil on all runs, without what is known, and its penalty.

    Attributes
    ----------
    whole : Operators
        Of the m terms.
    known : (m, k) array
        Known laws, and products of two, that are sums of terms.
    penalty, typical : (m, m) arrays
        The one that was chosen, and a typical one.
    left : float
        Logarithm of the flatness on runs that took no part.
    """

    whole: Operators
    known: np.ndarray
    penalty: np.ndarray
    typical: np.ndarray
    left: float = np.inf

    def flattest(self, ops: Operators, terms: np.ndarray | None = None) -> np.ndarray:
        """Return the flattest combinations beside what is known, (m, .), of some terms or all."""
        m = len(self.penalty)
        terms = np.arange(m) if terms is None else terms
        unit = np.eye(m)[:, terms]
        known = self.known[:, np.all(np.delete(self.known, terms, axis=0) == 0, axis=0)]
        seen = unit.T @ self.whole.unit_dirichlet @ known
        basis = unit @ linalg.null_space(seen.T) if known.size else unit
        stiff = replace(ops, within=ops.within + self.penalty)
        return basis @ spectrum(stiff.onto(basis)).vectors

    def error(self, c: np.ndarray, samples: float) -> float:
        """Return how much of its motion along runs a law owes to errors of its coefficients.

        To first order in noise, of variance s² = cᵀ D c, they have the covariance
        s² A⁻¹ W A⁻¹ / n with A = W + λ R, and move the law by s² tr(A⁻¹ W A⁻¹ W) / n.

        Parameters
        ----------
        c : (m,) array
        samples : float
            n, of independent ones.
        """
        size = np.sqrt(np.maximum(np.diag(self.whole.within + self.penalty), 1e-300))
        form = self.whole.within / size[:, None] / size
        whole = form + self.penalty / size[:, None] / size
        part = np.linalg.pinv(whole, rcond=_ROUNDING**2, hermitian=True) @ form
        noise = c @ self.whole.dirichlet @ c
        return float(np.sqrt(noise * np.sum(part * part.T) / samples))


def _independent(rest: np.ndarray, run: np.ndarray) -> float:
    """Return how many independent samples values (n,) without their runs' means are worth.

    Those of an autoregressive sequence of first order.
    """
    same = run[1:] == run[:-1]
    alike = np.sum(rest[1:][same] * rest[:-1][same]) / max(np.sum(rest**2), 1e-300)
    alike = float(np.clip(alike, 0.0, 1 - 1 / len(rest)))
    return len(rest) * (1 - alike) / (1 + alike)


def _known_in(library: Functions, known: Sequence[Law], states: np.ndarray) -> np.ndarray:
    """Return known laws, and products of two, that are sums of terms or nearly, as (m, k)."""
    laws = np.array([law.values(states) for law in known]).reshape(len(known), len(states))
    powers = monomials(len(known), 2) if known else []
    targets = [np.prod(laws.T ** np.array(e), axis=1) for e in powers]
    design = np.vstack([np.ones(len(states)), library.values(states)]).T
    out = []
    for target in targets:
        c = np.linalg.lstsq(design, target, rcond=_ROUNDING**2)[0]
        if np.std(target - design @ c) <= _NEARLY * np.std(target):
            out.append(np.where(np.abs(c[1:]) > _ROUNDING * np.abs(c[1:]).max(), c[1:], 0.0))
    return np.array(out).reshape(len(out), len(library)).T


def _exact(found: Findings) -> list[Law]:
    return [law for law in found.laws if law.verdict == Verdict.EXACT]


def _probes(fit: Orbits) -> np.ndarray:
    states = fit.smoothed.states
    return states[:: max(1, len(states) // _PROBES)]


def _rising(library: Functions, ops: Operators) -> np.ndarray:
    """Return the penalty of strength 1 of each term, (m,)."""
    degrees = library.degrees
    return np.where(degrees > 0, np.exp(degrees), 0.0) * np.median(np.diag(ops.dirichlet))


def _unpenalized(form: EnergyForm, fit: Orbits, known: Sequence[Law]) -> Penalized:
    """Return a form's pencil on all runs with the least penalty."""
    library, thin = form.library, fit.thinned(_ROWS)
    once = Once(library)
    whole = _operators(once, thin)
    penalty = np.diag(_STRENGTHS[0] * _rising(library, whole))
    some = Penalized(whole, _known_in(library, known, thin.smoothed.states), penalty, penalty)
    return replace(some, whole=_operators(once, thin, some.flattest(whole)[:, :1]))


def _penalized(form: EnergyForm, fit: Orbits, known: Sequence[Law]) -> Penalized:
    """Return a form's pencil on all runs with the penalty that cross-validation chooses.

    Runs that take no part count where the others surround them: further out no penalty helps. The
    typical penalty says where that is, there and where the law is judged.
    """
    library, runs = form.library, np.arange(fit.n_runs)
    thin = fit.thinned(_ROWS)
    own = [thin.take(runs[k::_FOLDS]) for k in range(_FOLDS)]
    each = [Once(library) for _ in own]
    folds = [_operators(*one) for one in zip(each, own, strict=True)]
    plain = _mean(folds)
    rising = _rising(library, plain)
    typical = np.diag(_TYPICAL * rising)
    some = Penalized(plain, _known_in(library, known, thin.smoothed.states), typical, typical)
    # What noise does to the energy of all runs weighs samples: a part of them has no such estimate.
    leading = some.flattest(plain)[:, :1]
    folds = [_operators(*one, leading) for one in zip(each, own, strict=True)]
    some = replace(some, whole=_mean(folds))
    judges = []
    for k, fold in enumerate(own):
        rest = thin.take(np.delete(runs, np.s_[k::_FOLDS])).smoothed.states
        holds = Domain.of(library, rest, typical, LAWS.outermost).holds(fold.smoothed.states)
        inside = fold.in_long_runs(holds)
        judges.append(
            _operators(library, fold.where(inside), leading) if inside.any() else folds[k]
        )
    best = some
    for strength in _STRENGTHS:
        trial = replace(some, penalty=np.diag(strength * rising))
        flatness = []
        for k, judge in enumerate(judges):
            c = trial.flattest(_mean(folds[:k] + folds[k + 1 :]))[:, 0]
            flatness.append((c @ judge.within @ c) / (c @ judge.dirichlet @ c))
        # A part with a run at the edge would decide alone in a plain mean.
        mean = float(np.mean(np.log(np.maximum(flatness, 1e-300))))
        if mean < best.left:
            best = replace(trial, left=mean)
    return best


def _operators(
    library: Functions | Once, orbits: Orbits, leading: np.ndarray | None = None
) -> Operators:
    """Return operators, weighted where noise moves a function (m, 1) unevenly."""
    parts = library, orbits.smoothed, orbits.offsets, orbits.scale
    weights = None if leading is None else noise_weights(library, orbits.smoothed, leading)
    return operators(*parts, weights)


def _mean(parts: Sequence[Operators]) -> Operators:
    return Operators(*np.mean([part.matrices for part in parts], axis=0))


def _hold_energy(
    laws: Sequence[Law], momenta: Sequence[int], probes: np.ndarray, scale: np.ndarray
) -> bool:
    """Tell whether one law, or a sum of some, has a definite second derivative in the momenta.

    At most probes. Of an oscillator's parts, one an axis, the sum is an energy: of functions whose
    second derivative is indefinite nowhere.
    """
    whole = np.zeros((len(probes), len(momenta), len(momenta)))
    for law in laws:
        masses = _masses(lambda at, law=law: law.gradient(at, scale), momenta, probes, scale)
        masses = (masses + np.swapaxes(masses, 1, 2)) / 2
        levels = np.linalg.eigvalsh(masses)
        least, largest = levels[:, 0], levels[:, -1]
        size = np.maximum(np.abs(least), np.abs(largest))
        if _at_most((least > _ROUNDING * size) | (largest < -_ROUNDING * size)):
            return True
        for sign, lowest in ((1.0, least), (-1.0, -largest)):
            if size.any() and _at_most(lowest >= -_ROUNDING * size):
                whole += sign * masses / size.mean()
                break
    levels = np.linalg.eigvalsh(whole)
    return _at_most(levels[:, 0] > _ROUNDING * levels[:, -1])


def _at_most(true: np.ndarray) -> bool:
    """Tell whether something is so at most probes (n,)."""
    return bool(np.mean(true) > 0.5)


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
    """Return the stages for positions with as many velocities or momenta, or without any.

    Parameters
    ----------
    names, roles : sequences of length d
    orbits : Orbits
        All runs: the ranges of positions are theirs.
    """
    states = orbits.smoothed.states
    any_function = function_form(names, roles, states)
    forms = energy_forms(names, roles, states) if any_function is None else [any_function]
    return [Mechanical(form, form.stretched(states)) for form in forms]
