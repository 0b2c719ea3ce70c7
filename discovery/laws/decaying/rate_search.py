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
from discovery.estimation.errors import among, of_columns
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import Path
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.laws.finding.operators import operators, spectrum
from discovery.laws.finding.scale_search import prominent_minima, simplest_scale
from discovery.laws.judging.law import Findings
from discovery.laws.judging.verdict import Verdict
from discovery.laws.stages import Stage
from discovery.libraries.dissipative import growing
from discovery.libraries.library import Library

# Rates that are tried, in units of one over the length of a run.
_SLOWEST, _FASTEST, _TRIALS = 0.003, 30.0, 60
# Rates at which something decays that are looked into, the clearest ones.
_DIPS = 3
_RATE = sympy.Dummy("gamma", positive=True)


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
        growth = sympy.exp(_RATE * self.clock)
        library = Library(
            [*self.library.symbols, self.clock, _RATE],
            [*self.library.atoms, growth],
            [*((*e, 1) for e in self.library.exponents), (0,) * len(self.library.atoms) + (1,)],
        )
        path, d = fit.smoothed, self.library.dim
        longest = float(path.states[:, d].max())
        scale = np.append(fit.scale[: d + 1], 0.0)
        # The rate has no noise.
        errors = among(of_columns(path.errors, range(d + 1)), d + 2, range(d + 1))

        def flatness(logarithm: float) -> float:
            rate = np.full(len(path.states), np.exp(logarithm))
            states = np.column_stack([path.states[:, : d + 1], rate])
            with np.errstate(all="ignore"):
                ops = operators(library, Path(states, errors), fit.offsets, scale)
            values = spectrum(ops).values if ops.is_finite else ()
            return float(np.log(max(values[0], 1e-300))) if len(values) else np.inf

        grid = np.log(np.geomspace(_SLOWEST, _FASTEST, _TRIALS) / longest)
        depths = np.array([flatness(value) for value in grid])
        found = []
        for dip in prominent_minima(np.exp(depths))[:_DIPS]:
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
