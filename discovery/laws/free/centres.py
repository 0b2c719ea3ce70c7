"""Fixed centres: energies of a body that is pulled from places which no column names.

    h = ½ |w|² + quadratic in the coordinates + Σ_a k_a f(|q − c_a|)

The strengths k_a are coefficients like any other. The places c_a are searched: over a grid of
single places and of pairs of them, then by descent. Of functions f those that books have: 1/r,
log r, 1/r², r. With the quadratic terms these are bodies in a turning frame (Jacobi's integral), in
a uniform field, in a trap.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import sympy
from scipy import stats
from scipy.optimize import least_squares

from discovery.criteria import FORMULAS, LAWS
from discovery.data.coordinates import MOMENTA, group_bodies
from discovery.estimation.errors import variances
from discovery.estimation.orbits import Orbits
from discovery.formulas.simple_numbers import NUMBERS, Numbers, in_digits
from discovery.laws.finding.operators import spectrum
from discovery.laws.free.description import matrices, without_known
from discovery.laws.judging.law import Findings
from discovery.laws.stage import Stage
from discovery.libraries.fitted import Fitted
from discovery.libraries.library import Library
from discovery.libraries.monomials import monomials, symbols_of

# Functions of the distance, by its square: as numbers and as SymPy writes them.
_FUNCTIONS = {
    "1/r": (lambda square: square**-0.5, lambda square: 1 / sympy.sqrt(square)),
    "log r": (np.log, sympy.log),
    "1/r²": (lambda square: 1 / square, lambda square: 1 / square),
    "r": (np.sqrt, sympy.sqrt),
}
# Places along each axis, and how far they reach, in half ranges of the data.
_GRID, _BEYOND = {2: 25, 3: 9}, 1.8
# Rows that the search runs on, and the last descent.
_ROWS, _MOST_ROWS = 1500, 20000
# Pairs of places that are looked at, places apart in steps of the grid, starts of a descent.
_LOOKED_AT, _APART, _STARTS = 5000, 1.5, 5
# Evaluations in one descent.
_EVALUATIONS = 400
# Functions that differ by less than this share are one, and directions without size.
_ALIKE, _RIDGE = 1e-4, 1e-10
# Relative error of numbers that are exact but for arithmetic rounding.
_ROUNDING = 1e-9
# Digits of a place at most.
_DIGITS = 12


class Found(NamedTuple):
    """Places, how well they are known, and what they leave of the motion.

    Attributes
    ----------
    places, errors : (k, n) arrays
    rest : float
        Sum of squares.
    """

    places: np.ndarray
    errors: np.ndarray
    rest: float


@dataclass(frozen=True)
class Centres(Stage):
    """Energies with one or two fixed centres, where no law found before is an energy.

    Attributes
    ----------
    symbols : tuple of d sympy.Symbol
    positions, momenta : tuple of int
        Columns of one body's coordinates, two or three of each.
    numbers : Numbers
        What places are rounded to.
    name : str
        What reports call the stage where it has nothing to try.
    """

    symbols: tuple[sympy.Symbol, ...]
    positions: tuple[int, ...]
    momenta: tuple[int, ...]
    numbers: Numbers = NUMBERS
    name: str = "fixed centres"

    def __len__(self) -> int:
        return len(self._powers)

    def libraries(self, fit: Orbits, found: Findings) -> list[Library] | None:
        """Return the library of the fewest centres with a flat energy; None beside an energy."""
        w = [self.symbols[i] for i in self.momenta]
        masses = [[law.expression.diff(p, 2) for p in w] for law in found.laws if law.sure]
        # Of one law, or of the sum of several: of an oscillator's parts, one an axis.
        parts = (any(own.is_number and own != 0 for own in of) for of in zip(*masses, strict=True))
        if any(0 not in own for own in masses) or (masses and all(parts)):
            return None
        best = self._best(fit.thinned(_ROWS))
        if best is None:
            return []
        name, places = best
        whole = _Search(self, name, fit.thinned(_MOST_ROWS))
        return [self.at(name, self._rounded(whole.descended(places)))]

    def _best(self, few: Orbits) -> tuple[str, np.ndarray] | None:
        """Return the function and the fewest places (k, n) that make an energy flat, if any do."""
        searches = {name: _Search(self, name, few) for name in _FUNCTIONS}
        ones = {name: search.best(search.singles()) for name, search in searches.items()}
        twos = {n: search.best(search.pairs(ones[n].places)) for n, search in searches.items()}
        one, two = (min(found, key=lambda n, f=found: f[n].rest) for found in (ones, twos))
        single = self._is_flat(one, ones[one].places, few)
        better = not single or searches[two].is_better(twos[two], ones[one])
        if better and self._is_flat(two, twos[two].places, few):
            return two, twos[two].places
        return (one, ones[one].places) if single else None

    @property
    def _powers(self) -> list[tuple[int, ...]]:
        return monomials(len(self.symbols), 2)

    def plain(self) -> Library:
        """Return the terms without a distance."""
        return Library(self.symbols, self.symbols, self._powers, self.name)

    @property
    def is_explaining(self) -> np.ndarray:
        """Which of these may stand beside the kinetic energy, (m,) bool: not its own terms."""
        fast = np.array(self._powers)[:, list(self.momenta)].sum(axis=1)
        return fast < 2

    def at(self, name: str, places: Sequence[Sequence[sympy.Expr | float]]) -> Fitted:
        """Return the library at given places.

        Parameters
        ----------
        name : str
            Of the function of the distance.
        places : sequence of sequence of sympy.Expr or float
        """
        here = [self.symbols[i] for i in self.positions]
        squares = [sum((q - c) ** 2 for q, c in zip(here, place, strict=True)) for place in places]
        functions = [_FUNCTIONS[name][1](square) for square in squares]
        k, d = len(functions), len(self.symbols)
        exponents = [(*e, *(0,) * k) for e in self._powers]
        exponents += [(*(0,) * d, *(int(i == j) for i in range(k))) for j in range(k)]
        label = f"{k} fixed centre{'s' if k > 1 else ''}, {name}"
        atoms = [*self.symbols, *functions]
        # Simple numbers are found by no chance: what only digits tell imitates as much more.
        fitted = sum(not sympy.sympify(c).is_Rational for place in places for c in place)
        return Fitted(self.symbols, atoms, exponents, label, fitted)

    def _is_flat(self, name: str, places: np.ndarray, orbits: Orbits) -> bool:
        """Tell whether something is flat that is not without a distance."""
        try:
            ops = matrices(self.at(name, places), orbits)
            values = spectrum(ops.onto(without_known(ops, len(self)))).values
        except (FloatingPointError, np.linalg.LinAlgError):
            return False
        return len(values) > 0 and values[0] <= 2 * LAWS.flatness_ceiling

    def _rounded(self, found: Found) -> list[list[sympy.Expr]]:
        """Return places in simple numbers, or in the digits that they are known to."""
        out = np.empty(found.places.shape, dtype=object)
        size = np.abs(found.places).max()
        for place in np.ndindex(out.shape):
            width = max(FORMULAS.interval * found.errors[place], _ROUNDING * size)
            out[place] = self._simple(float(found.places[place]), width)
        return out.tolist()

    def _simple(self, value: float, width: float) -> sympy.Expr:
        if abs(value) <= width:
            return sympy.Integer(0)
        known = width / abs(value)
        simple, cost = self.numbers.simple(value, known, known)
        if np.isfinite(cost):
            return self.numbers.symbolic(simple)
        digits = int(np.clip(np.ceil(1 - np.log10(known)), 2, _DIGITS))
        return sympy.Float(in_digits(value, digits))


class _Search:
    """The search for places at which one function of the distances leaves least of the motion.

    Kinetic energy along runs is explained by the other terms and by functions of distances, by
    least squares in which each sample counts by the noise of its energy. The terms without a place
    are projected out once, so that a trial of places costs little (variable projection).

    Parameters
    ----------
    form : Centres
    name : str
        Of the function.
    orbits : Orbits
        The runs that formulas are found on.
    """

    def __init__(self, form: Centres, name: str, orbits: Orbits) -> None:
        self.n = len(form.positions)
        self.f = _FUNCTIONS[name][0]
        states, counts = orbits.smoothed.states, np.diff(orbits.offsets)
        self.q, w = states[:, list(form.positions)], states[:, list(form.momenta)]
        self.starts, self.counts = orbits.offsets[:-1], counts
        self.root = np.sqrt(_weights(self.q, w, orbits, form))
        kinetic = np.sum(w**2, axis=1) / 2
        rest = form.plain().values(states).T
        rest = rest[:, form.is_explaining]
        base, sizes, _ = np.linalg.svd(self._centred(rest), full_matrices=False)
        self.base = base[:, sizes > _RIDGE * sizes[0]]
        self.motion = self._left(kinetic[:, None])[:, 0]
        middle = (self.q.max(axis=0) + self.q.min(axis=0)) / 2
        half = np.ptp(self.q, axis=0) / 2
        ticks = np.linspace(-_BEYOND, _BEYOND, _GRID[self.n])
        self.gap = (ticks[1] - ticks[0]) * half
        grid = itertools.product(*(m + h * ticks for m, h in zip(middle, half, strict=True)))
        self.grid = np.array(list(grid))

    def _centred(self, columns: np.ndarray) -> np.ndarray:
        """Return columns (rows, k) without their mean over each run, in units of the noise."""
        weight = self.root[:, None] ** 2
        mean = np.add.reduceat(columns * weight, self.starts) / np.add.reduceat(weight, self.starts)
        return (columns - np.repeat(mean, self.counts, axis=0)) * self.root[:, None]

    def _left(self, columns: np.ndarray) -> np.ndarray:
        """Return what the terms without a place leave of columns (rows, k)."""
        columns = self._centred(columns)
        return columns - self.base @ (self.base.T @ columns)

    def _square(self, places: np.ndarray) -> np.ndarray:
        return np.sum((self.q[:, None] - places) ** 2, axis=2)

    def singles(self) -> list[np.ndarray]:
        """Return the places of the grid that leave least, (1, n) each."""
        columns = self._columns()
        explained = (columns.T @ self.motion) ** 2 / np.sum(columns**2, axis=0)
        return self._apart(np.argsort(-explained)[:, None])

    def pairs(self, known: np.ndarray) -> list[np.ndarray]:
        """Return the pairs of places that leave least, (2, n) each.

        Parameters
        ----------
        known : (1, n) array
            A place that may be one of them: a grid is too coarse beside a near and strong centre.
        """
        columns = self._columns()
        gram, seen = columns.T @ columns, columns.T @ self.motion
        size = np.diag(gram)
        mixed = size[:, None] * size - gram**2
        both = seen[:, None] ** 2 * size + seen**2 * size[:, None] - 2 * np.outer(seen, seen) * gram
        clear = mixed > _ALIKE * np.outer(size, size)
        explained = np.where(np.triu(clear, 1), both / np.where(clear, mixed, 1.0), 0.0)
        best = np.argsort(-explained, axis=None)[:_LOOKED_AT]
        out = self._apart(np.column_stack(np.unravel_index(best, explained.shape)))
        own = self._left(self.f(self._square(known)))[:, 0]
        own = own / np.linalg.norm(own)
        beside = columns - np.outer(own, own @ columns)
        left = np.sum(beside**2, axis=0)
        explained = (beside.T @ self.motion) ** 2 / np.maximum(left, _ALIKE * size)
        return out + [
            np.vstack([known, one]) for one in self._apart(np.argsort(-explained)[:, None])
        ]

    def _columns(self) -> np.ndarray:
        """Return the function of the distances from all places, softened by half a step."""
        return self._left(self.f(self._square(self.grid) + np.mean(self.gap**2) / 4))

    def _apart(self, order: np.ndarray) -> list[np.ndarray]:
        """Return the first few sets of places that are not next to each other."""
        chosen: list[np.ndarray] = []
        for row in order:
            places = self.grid[row]
            if all(np.abs((places - other) / self.gap).max() > _APART for other in chosen):
                chosen.append(places)
            if len(chosen) == _STARTS:
                break
        return chosen

    def best(self, starts: Sequence[np.ndarray]) -> Found:
        """Return where descents from some of the places lead that leaves least."""
        return min(map(self.descended, starts), key=lambda found: found.rest)

    def is_better(self, more: Found, fewer: Found) -> bool:
        """Tell whether a centre more explains what is no noise: an F test.

        What is left of the motion is smooth, so that τ = (1 + ρ)/(1 − ρ) samples, ρ the correlation
        of neighbours, count as one.
        """
        left = self._fitted(more.places)[0]
        rho = np.clip(left[1:] @ left[:-1] / max(left @ left, 1e-300), 0.0, 0.999)
        samples = len(left) * (1 - rho) / (1 + rho)
        gain = (fewer.rest - more.rest) / max(more.rest, 1e-300) * samples
        return bool(gain > stats.chi2.isf(LAWS.further_centre, self.n + 1))

    def descended(self, places: np.ndarray) -> Found:
        """Return the places (k, n) near others that leave least.

        Parameters
        ----------
        places : (k, n) array
        """
        unit = np.tile(self.gap, len(places))

        def rest(x: np.ndarray) -> np.ndarray:
            return self._fitted((x * unit).reshape(places.shape))[0]

        found = least_squares(
            rest, places.ravel() / unit, method="lm", xtol=1e-14, ftol=1e-14, max_nfev=_EVALUATIONS
        )
        # Runs, not samples, are independent of each other.
        scores = np.add.reduceat(found.fun[:, None] * found.jac, self.starts)
        inverse = np.linalg.pinv(found.jac.T @ found.jac, hermitian=True)
        errors = np.sqrt(np.diag(inverse @ (scores.T @ scores) @ inverse)) * unit
        shape = places.shape
        return Found((found.x * unit).reshape(shape), errors.reshape(shape), 2 * found.cost)

    def _fitted(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what is left of the motion with functions of distances from places (k, n)."""
        with np.errstate(all="ignore"):
            columns = np.nan_to_num(self.f(self._square(places)))
        columns = self._left(columns)
        strengths = np.linalg.lstsq(columns, self.motion)[0]
        return self.motion - columns @ strengths, strengths


def _weights(q: np.ndarray, w: np.ndarray, orbits: Orbits, form: Centres) -> np.ndarray:
    """Return the inverse of the energy's variance by noise at each sample, (rows,).

    The slope of the potential is known without it: |V'| = |w'|, |w| as many times as positions move
    less.
    """
    noise = variances(orbits.smoothed.errors)
    moved, turned = (np.gradient(part, axis=0) for part in (q, w))
    step = np.maximum(np.sum(moved**2, axis=1), 1e-300)
    pull = np.sum(turned**2, axis=1) / step * np.sum(w**2, axis=1)
    own = np.sum(noise[:, list(form.momenta)] * w**2, axis=1)
    own += pull * noise[:, list(form.positions)].mean(axis=1)
    return 1 / np.maximum(own, np.median(own) / 10)


def centre_stages(
    names: Sequence[str], roles: Sequence[str | None], numbers: Numbers = NUMBERS
) -> list[Stage]:
    """Return the stage for one body in the plane or in space; none for other coordinates.

    Parameters
    ----------
    names, roles : sequences of length d
    numbers : Numbers
        What places are rounded to.
    """
    positions = [i for i, role in enumerate(roles) if role == "position"]
    momenta = [i for i, role in enumerate(roles) if role in MOMENTA]
    n = len(positions)
    if n not in _GRID or len(momenta) != n or len(names) != 2 * n:
        return []
    if len(group_bodies([names[i] for i in positions], positions)) > 1:
        return []
    return [Centres(symbols_of(names), tuple(positions), tuple(momenta), numbers)]
