"""The rate search: the γ at which e^{γt} h is constant along the runs for a function h.

As a length is searched (`laws.finding.scale_search`): with γ fixed the terms e^{γt} Φ are a library
like any other, and the smallest flatness among its functions dips at the true rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import sympy
from scipy.optimize import minimize_scalar

from discovery.criteria import LAWS
from discovery.estimation.errors import among, between, of_columns
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import Path
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.laws.finding.operators import operators, spectrum
from discovery.laws.finding.scale_search import prominent_minima, simplest_scale
from discovery.laws.judging.law import Findings
from discovery.laws.judging.verdict import Verdict
from discovery.laws.stage import Stage
from discovery.libraries.dissipative import growing
from discovery.libraries.library import Library

# Rates that are tried, in units of one over the length of a run.
_SLOWEST, _FASTEST, _TRIALS = 0.003, 30.0, 60
# Rows on which they are tried, about.
_ROWS = 2000
# Rates at which something decays that are looked into, the clearest ones.
_DIPS = 3
# Values of terms and of their derivatives that are kept: 2²⁵ doubles are 256 MiB.
_MOST_KEPT = 2**25


@dataclass(frozen=True)
class Growing(Stage):
    """The terms of a library times e^{γt}, at each rate at which one of their functions is flat.

    Attributes
    ----------
    library : Library
        Of d coordinates.
    clock : sympy.Symbol
        The time since the start of a run: the column after theirs.
    numbers : Numbers
        What rates are rounded to.
    """

    library: Library
    clock: sympy.Symbol
    numbers: Numbers = NUMBERS

    @property
    def name(self) -> str:
        """The library's, with its factor."""
        return f"{self.library.name} × exp(γt)"

    def __len__(self) -> int:
        return len(self.library) + 1

    def libraries(self, fit: Orbits, found: Findings) -> Iterator[Library] | None:
        """Return the library at each rate; None beside what a simpler one gave."""
        if any(law.verdict == Verdict.EXACT for law in found.laws):
            return None
        return (growing(self.library, rate, self.clock) for rate in self._rates(fit))

    def _rates(self, fit: Orbits) -> list[sympy.Expr | float]:
        # Dips are broad: a few rows show where they are.
        longest = float(fit.smoothed.states[:, self.library.dim].max())
        grid = np.log(np.geomspace(_SLOWEST, _FASTEST, _TRIALS) / longest)
        seen = _Flatness(self.library, fit.thinned(_ROWS))
        dips = prominent_minima(np.exp([seen(value) for value in grid]))[:_DIPS]
        if not dips:
            return []
        flatness = _Flatness(self.library, fit)
        found = []
        for dip in dips:
            best = minimize_scalar(
                flatness,
                bounds=(grid[dip - 1], grid[dip + 1]),
                method="bounded",
                options={"xatol": 1e-9},
            )
            if best.fun <= np.log(2 * LAWS.flatness_ceiling):
                _, simple = simplest_scale(
                    lambda rate: float(np.exp(flatness(np.log(rate)))),
                    float(np.exp(best.x)),
                    float(np.exp(best.fun)),
                    self.numbers,
                )
                found.append(simple)
        return found


class _Flatness:
    """The logarithm of the least flatness among a library's terms times e^{γt}, for each log γ.

    Parameters
    ----------
    library : Library
        Of d coordinates.
    orbits : Orbits
        Of d coordinates and the clock.
    """

    def __init__(self, library: Library, orbits: Orbits) -> None:
        self._raised, self._offsets = _Raised(library, orbits.smoothed), orbits.offsets
        self._scale = np.append(orbits.scale[: library.dim + 1], 0.0)

    def __call__(self, logarithm: float) -> float:
        self._raised.rate = float(np.exp(logarithm))
        with np.errstate(all="ignore"):
            ops = operators(self._raised, self._raised.path, self._offsets, self._scale)
        values = spectrum(ops).values if ops.is_finite else ()
        return float(np.log(max(values[0], 1e-300))) if len(values) else np.inf


class _Raised:
    """A library's terms, and the constant, times e^{γt}: the library is evaluated once for all γ.

    Parameters
    ----------
    library : Library
        Of d coordinates.
    smoothed : Path
        Of d coordinates and the clock.

    Attributes
    ----------
    rate : float
        γ.
    path : Path
        The same, and the number of each row as one more coordinate without errors: it tells which
        rows are asked for.
    clock : int
        The clock's column.
    """

    def __init__(self, library: Library, smoothed: Path) -> None:
        n, d = len(smoothed.states), library.dim
        self._library, self.clock, self.dim, self.rate = library, d, d + 2, 0.0
        errors = among(of_columns(smoothed.errors, range(d + 1)), d + 2, range(d + 1))
        self.path = Path(np.column_stack([smoothed.states[:, : d + 1], np.arange(n)]), errors)
        self._kept = self._own(self.path) if len(self) * (d + 2) * n <= _MOST_KEPT else None

    def __len__(self) -> int:
        return len(self._library) + 1

    def _own(self, path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return values, slopes and curvatures without the factor; the constant is the last."""
        errors = of_columns(path.errors, range(self.clock))
        phi, slopes, bend = self._library.jets(path.states[:, : self.clock], errors, order=2)
        n = phi.shape[1]
        slopes = np.concatenate([slopes, np.zeros((self.clock, 1, n))], axis=1)
        return np.vstack([phi, np.ones(n)]), slopes, np.vstack([bend, np.zeros(n)])

    def jets(
        self, states: np.ndarray, covariance: np.ndarray, order: int = 2
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what `Library.jets` does at rows of the path."""
        first, last = states[[0, -1], -1].astype(int)
        if self._kept is None:
            phi, slopes, bend = self._own(Path(states, covariance))
        else:
            phi, slopes, bend = (part[..., first : last + 1] for part in self._kept)
        t, rate = self.clock, self.rate
        factor = np.exp(rate * states[:, t])
        along = sum(2 * between(covariance, t, i) * slope for i, slope in enumerate(slopes))
        bend = bend + rate * along + rate**2 * between(covariance, t, t) * phi
        all_slopes = np.zeros((self.dim, *phi.shape))
        np.multiply(slopes, factor, out=all_slopes[:t])
        phi = phi * factor
        np.multiply(phi, rate, out=all_slopes[t])
        return phi, all_slopes, bend * factor
