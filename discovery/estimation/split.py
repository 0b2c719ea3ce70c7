"""Split: the runs that formulas are found on, and the runs that judge them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from discovery.criteria import NOISE
from discovery.estimation.half_lines import Column
from discovery.estimation.orbits import Orbits

# Points at which gradients are compared.
PROBES = 256
# Windows that few runs are cut into, all together.
WINDOWS = 16
# With two windows an interval has one degree of freedom, and excludes nothing.
FEWEST_JUDGES = 3


@dataclass(frozen=True)
class Split:
    """Orbits in two parts.

    Attributes
    ----------
    fit, held : Orbits
        The runs that formulas are found on, and those that judge them.
    all : Orbits
        Both.
    probes : (k, d) array
        Smoothed states of the runs that judge, at which gradients are compared.
    """

    fit: Orbits
    held: Orbits
    all: Orbits
    probes: np.ndarray

    @staticmethod
    def choose(n_runs: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw the runs to find formulas on and the runs to judge them, ascending."""
        shuffled = rng.permutation(n_runs)
        n_fit = int(np.clip(round(NOISE.fit_share * n_runs), 2, n_runs - 2))
        return np.sort(shuffled[:n_fit]), np.sort(shuffled[n_fit:])

    @classmethod
    def of(
        cls, orbits: Orbits, fit: np.ndarray, held: np.ndarray, rng: np.random.Generator
    ) -> Split:
        """Part orbits into the given runs.

        Parameters
        ----------
        orbits : Orbits
        fit, held : arrays of int
            The runs that formulas are found on, and those that judge them.
        rng : numpy.random.Generator
            Draws the probes.
        """
        judges = orbits.take(held)
        n_rows = len(judges.smoothed.states)
        rows = np.sort(rng.choice(n_rows, min(PROBES, n_rows), replace=False))
        return cls(orbits.take(fit), judges, orbits, judges.smoothed.states[rows])

    @classmethod
    def in_time(cls, orbits: Orbits, rng: np.random.Generator) -> Split | None:
        """Part windows of runs: what comes first finds formulas, and what follows judges them.

        Parameters
        ----------
        orbits : Orbits
            Windows, from `Orbits.in_windows`.
        rng : numpy.random.Generator
            Draws the probes.

        Returns
        -------
        Split, or None where the windows that judge are too few for an interval
        """
        counts = np.bincount(orbits.of_run)
        place = np.arange(orbits.n_runs) - (np.cumsum(counts) - counts)[orbits.of_run]
        first = place < np.maximum(np.rint(NOISE.fit_share * counts), 1)[orbits.of_run]
        if np.sum(~first) < FEWEST_JUDGES:
            return None
        return cls.of(orbits, np.flatnonzero(first), np.flatnonzero(~first), rng)

    def where(self, columns: Sequence[Column]) -> Split:
        """Return the split without the rows in which one of the columns is not positive."""
        parts = [part.where(part.clear(columns)) for part in (self.fit, self.held, self.all)]
        return Split(*parts, self.probes)

    def keeping(self, rows: Callable[[Orbits], np.ndarray]) -> Split:
        """Return the split with the rows (n,) bool alone that a rule tells of each part."""
        return Split(
            *(part.where(rows(part)) for part in (self.fit, self.held, self.all)), self.probes
        )

    def inside(self, holds: Callable[[np.ndarray], np.ndarray]) -> Split:
        """Return the split without the rows whose smoothed states (n, d) a rule does not hold."""
        parts = [
            part.where(part.in_long_runs(holds(part.smoothed.states)))
            for part in (self.fit, self.held, self.all)
        ]
        return Split(*parts, self.probes)

    def blurred(self, share: float) -> Split:
        """Return the split with states known no better than to a share of their spread."""
        parts = [part.blurred(share) for part in (self.fit, self.held, self.all)]
        return Split(*parts, self.probes)

    def probing(self, columns: Sequence[Column]) -> Split:
        """Return the split with probes only where all of the given columns are positive."""
        clear = np.flatnonzero(self.held.clear(columns))
        if len(clear) in (0, len(self.held.smoothed.states)):
            return self
        states = self.held.smoothed.states[clear]
        return replace(self, probes=states[:: max(1, len(states) // PROBES)])

    @classmethod
    def draw(cls, orbits: Orbits, rng: np.random.Generator) -> Split:
        """Part orbits at random."""
        return cls.of(orbits, *cls.choose(orbits.n_runs, rng), rng)
