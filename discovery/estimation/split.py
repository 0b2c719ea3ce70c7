"""The split: runs that formulas are found on, and runs that judge them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from discovery.estimation.orbits import Orbits

# Share of the runs on which formulas are found; the rest only judges them.
FIT_SHARE = 0.6
# Points at which gradients are compared.
PROBES = 256


@dataclass(frozen=True)
class Split:
    """Runs that formulas are found on, runs that judge them, and points to compare gradients."""

    fit: Orbits
    held: Orbits
    all: Orbits
    probes: np.ndarray

    @staticmethod
    def choose(n_runs: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw the runs to find formulas on and the runs to judge them, ascending."""
        shuffled = rng.permutation(n_runs)
        n_fit = int(np.clip(round(FIT_SHARE * n_runs), 2, n_runs - 2))
        return np.sort(shuffled[:n_fit]), np.sort(shuffled[n_fit:])

    @classmethod
    def of(
        cls, orbits: Orbits, fit: np.ndarray, held: np.ndarray, rng: np.random.Generator
    ) -> Split:
        """Part orbits into the given runs."""
        judges = orbits.take(held)
        n_rows = len(judges.smoothed.states)
        rows = np.sort(rng.choice(n_rows, min(PROBES, n_rows), replace=False))
        return cls(orbits.take(fit), judges, orbits, judges.smoothed.states[rows])

    def where(self, columns: Sequence[int]) -> Split:
        """Return the split without the rows in which one of the columns is not positive."""
        parts = [part.where(part.clear(columns)) for part in (self.fit, self.held, self.all)]
        return Split(*parts, self.probes)

    def probing(self, columns: Sequence[int]) -> Split:
        """Return the split with probes only where all of the columns are positive."""
        clear = np.flatnonzero(self.held.clear(columns))
        if len(clear) in (0, len(self.held.smoothed.states)):
            return self
        states = self.held.smoothed.states[clear]
        return replace(self, probes=states[:: max(1, len(states) // PROBES)])

    @classmethod
    def draw(cls, orbits: Orbits, rng: np.random.Generator) -> Split:
        """Part orbits at random."""
        return cls.of(orbits, *cls.choose(orbits.n_runs, rng), rng)
