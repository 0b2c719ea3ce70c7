"""The scale search: the length, wave number or mass at which something is conserved.

With the scale a fixed, a library is like any other, and the smallest flatness μ(a) among its
functions dips at the true scale (variable projection: the coefficients are solved for, the scale
is searched). What is flat at every scale (laws without such a function) is taken out before.

Source: Golub and Pereyra, *The differentiation of pseudo-inverses and nonlinear least squares
problems whose variables separate* (SIAM J. Numer. Anal. 10, 1973).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy

import numpy as np
import sympy
from scipy import linalg
from scipy.optimize import minimize_scalar

from discovery.criteria import FORMULAS, LAWS
from discovery.estimation.errors import among
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import Path
from discovery.formulas.simple_numbers import Numbers, in_digits
from discovery.laws.finding.many_scales import fits, least_at, operators_at
from discovery.laws.finding.operators import Once, Operators, noise_weights, operators, spectrum
from discovery.libraries.library import Library
from discovery.libraries.unknown_scale import Scaled

# Lengths in units of the data's spread between which the scale is looked for, and trials.
_SHORTEST, _LONGEST, _TRIALS = 0.05, 20.0, 41
# Wave numbers of oscillating functions, evenly: the dips are of one width in these.
_FASTEST, _EVEN_TRIALS = 40.0, 200
# Factor within which a scale is known where it was looked for before.
_NEAR = 1.3
# Rows that the search runs on, the last steps excepted.
_ROWS = 2000
# Dips that are looked into, the deepest ones.
_DIPS = 2
# The scale of a dip is known no better and no worse than this, relative.
_KNOWN, _UNKNOWN = 1e-7, 0.1
# Mean squared slope of functions of which products with each other are zero to rounding.
_VANISHED = 1e-150
# μ where a function has no value, and where it is zero to rounding.
_WORST, _LEAST = 1e300, 1e-300


def tuned(scaled: Scaled, fit: Orbits, numbers: Numbers) -> list[Library]:
    """Return the library at each scale at which one more function of it is flat.

    Parameters
    ----------
    scaled : Scaled
    fit : Orbits
        The runs that formulas are found on.
    numbers : Numbers
        What scales are rounded to where the data allow.
    """
    some = _thinned(fit)
    profile = _Profile(scaled, some)
    grid = trial_scales(scaled, fit)
    if len(grid) < 3:
        return []
    depths = profile.along(grid)
    found = []
    for dip in prominent_minima(depths)[:_DIPS]:
        found += _between(profile, fit, grid[dip - 1], grid[dip + 1], numbers)
    return found


def tuned_near(scaled: Scaled, fit: Orbits, value: float, numbers: Numbers) -> list[Library]:
    """Return the library at the best scale near a value, if a function of it is flat there.

    Parameters
    ----------
    scaled : Scaled
    fit : Orbits
        The runs that formulas are found on.
    value : float
        A scale that is right within some 20 %.
    numbers : Numbers
        What scales are rounded to.
    """
    profile = _Profile(scaled, _thinned(fit))
    return _between(profile, fit, value / _NEAR, value * _NEAR, numbers)


def _between(
    profile: _Profile, fit: Orbits, low: float, high: float, numbers: Numbers
) -> list[Library]:
    """Return the library at the best scale between two others, if a function of it is flat."""
    profile = profile.carefully()
    value, mu = _lowest(profile, low, high)
    if mu > 4 * LAWS.flatness_ceiling:
        return []
    whole = profile.on(fit)
    value, mu = _lowest(whole, value / 1.02, value * 1.02)
    if mu > 2 * LAWS.flatness_ceiling:
        return []
    value, symbol = simplest_scale(whole, value, mu, numbers)
    return profile.scaled.at(symbol, f"{value:.4g}")


def prominent_minima(depths: np.ndarray) -> list[int]:
    """Return where μ has prominent minima, the deepest first."""
    inner = range(1, len(depths) - 1)
    lowest = [i for i in inner if depths[i] < depths[i - 1] and depths[i] <= depths[i + 1]]
    rise = FORMULAS.dip_prominence
    dips = [i for i in lowest if min(depths[:i].max(), depths[i + 1 :].max()) > rise * depths[i]]
    return sorted(dips, key=lambda i: depths[i])


class _Profile:
    """μ as a function of the scale: the least of functions that are not flat without it."""

    def __init__(self, scaled: Scaled, orbits: Orbits, careful: bool = False) -> None:
        self.scaled, self._orbits, self._careful = scaled, orbits, careful
        plain = scaled.library.restrict(np.flatnonzero(scaled.plain))
        flat = spectrum(self._operators(plain, self._path(1.0)))
        known = flat.vectors[:, flat.values <= 2 * LAWS.flatness_ceiling]
        self._known = np.zeros((len(scaled), known.shape[1]))
        self._known[scaled.plain] = known

    def __call__(self, value: float) -> float:
        path, library = self._path(value), Once(self.scaled.library)
        mu, vector = self._flattest(self._operators(library, path))
        if self._careful and np.isfinite(mu):
            # Next to a pole a few noisy samples are all there is, and what moves looks flat.
            weights = noise_weights(library, path, vector)
            if weights is not None:
                mu, _ = self._flattest(self._operators(library, path, weights))
        return mu

    def along(self, values: np.ndarray) -> np.ndarray:
        """Return μ at each value, noise taken as even."""
        scaled, some = self.scaled, self._orbits
        if not fits(scaled.library, some):
            return np.array([self(value) for value in values])
        with np.errstate(all="ignore"):
            ops = operators_at(scaled.library, scaled.plain, some, values)
            slopes = np.einsum("tii->ti", ops.unit_dirichlet)
            fair = np.isfinite(sum(ops.matrices)).all(axis=(1, 2)) & ~(slopes < _VANISHED).any(1)
            out = np.full(len(values), np.inf)
            out[fair] = least_at(Operators(*(part[fair] for part in ops.matrices)), self._known)
        return np.maximum(out, _LEAST)

    def on(self, orbits: Orbits) -> _Profile:
        """Return the same on other orbits."""
        return self if orbits is self._orbits else _Profile(self.scaled, orbits, self._careful)

    def carefully(self) -> _Profile:
        """Return the same with noisy samples counting less."""
        other = copy(self)
        other._careful = True
        return other

    def _flattest(self, ops: Operators) -> tuple[float, np.ndarray]:
        """Return the least μ of functions that are not known, and its function (m, 1)."""
        if not ops.is_finite or np.diag(ops.unit_dirichlet).min() < _VANISHED:
            return np.inf, np.zeros((len(self.scaled), 1))
        basis = np.eye(len(self.scaled))
        if self._known.shape[1]:
            # The functions that noise moves independently of the known ones.
            basis = linalg.null_space((ops.dirichlet @ self._known).T)
        flat = spectrum(ops.onto(basis))
        if not len(flat.values):
            return np.inf, np.zeros((len(self.scaled), 1))
        return max(float(flat.values[0]), _LEAST), basis @ flat.vectors[:, :1]

    def _path(self, value: float) -> Path:
        """Return the paths with the scale as one more coordinate, which has no noise."""
        path = self._orbits.smoothed
        n, d = path.states.shape
        states = np.column_stack([path.states, np.full(n, value)])
        return Path(states, among(path.errors, d + 1, range(d)))

    def _operators(
        self, library: Library | Once, path: Path, weights: np.ndarray | None = None
    ) -> Operators:
        scale = np.append(self._orbits.scale, 0.0)
        with np.errstate(all="ignore"):
            return operators(library, path, self._orbits.offsets, scale, weights)


def _thinned(orbits: Orbits) -> Orbits:
    """Return every so many rows of each run."""
    step = max(1, len(orbits.smoothed.states) // _ROWS)
    step = min(step, max(1, int(np.diff(orbits.offsets).min()) // 16))
    within = np.arange(orbits.offsets[-1]) - np.repeat(orbits.offsets[:-1], np.diff(orbits.offsets))
    return orbits.where(within % step == 0)


def trial_scales(scaled: Scaled, orbits: Orbits) -> np.ndarray:
    """Return the scales to try, ascending."""
    columns = list(scaled.columns)
    unit = float(np.sqrt(np.mean(orbits.scale[columns] ** 2)))
    least = FORMULAS.noise_lengths * float(orbits.noise[columns].max())
    if scaled.oscillating:
        numbers = np.linspace(0, _FASTEST, _EVEN_TRIALS + 1)[1:] / unit
        return numbers[(numbers * least < 1) & (numbers < _highest(orbits, columns))]
    lengths = unit * np.geomspace(_SHORTEST, _LONGEST, _TRIALS)
    lengths = lengths[lengths > least]
    return 1 / lengths[::-1] if scaled.wave_number else lengths


def _highest(orbits: Orbits, columns: Sequence[int]) -> float:
    """Return the wave number below which the double one is no other at even steps of a clock.

    Of columns that do not rise along every run any wave number can be told.
    """
    inside = np.ones(len(orbits.smoothed.states) - 1, dtype=bool)
    inside[orbits.offsets[1:-1] - 1] = False
    steps = np.diff(orbits.smoothed.states[:, columns], axis=0)[inside]
    return np.pi / 2 / np.median(steps) if steps.size and steps.min() > 0 else np.inf


def _lowest(profile: _Profile, low: float, high: float) -> tuple[float, float]:
    """Return the scale of the lowest μ between two others, and that μ."""
    best = minimize_scalar(
        # Infinity is no number to search with.
        lambda s: np.log(min(profile(np.exp(s)), _WORST)),
        bounds=(np.log(low), np.log(high)),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return float(np.exp(best.x)), float(np.exp(best.fun))


def simplest_scale(
    profile: Callable[[float], float], value: float, mu: float, numbers: Numbers
) -> tuple[float, sympy.Expr | float]:
    """Return the simplest scale that is as good, as a number and as SymPy writes it.

    Parameters
    ----------
    profile : callable
        μ at a scale.
    value, mu : float
        The scale of the least μ, and that μ.
    numbers : Numbers
        What counts as simple.
    """
    limit = max(FORMULAS.flatness_floor, FORMULAS.scale_slack * mu)

    def as_good(trial: float) -> bool:
        return profile(trial) <= limit

    low, high = np.log(_KNOWN), np.log(_UNKNOWN)
    for _ in range(10):
        middle = (low + high) / 2
        width = np.exp(middle)
        if as_good(value * (1 + width)) and as_good(value * (1 - width)):
            low = middle
        else:
            high = middle
    width = float(np.exp(low))
    simple, cost = numbers.simple(value, width, width)
    if not np.isfinite(cost):
        digits = int(np.clip(np.ceil(-np.log10(width)) + 1, 2, 12))
        simple = in_digits(value, digits)
    return simple, numbers.symbolic(simple) if np.isfinite(cost) else simple
