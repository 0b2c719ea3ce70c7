"""Runs in which something is to decay: their coordinates, and the laws of orbits beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from discovery.data.coordinates import MOMENTA
from discovery.estimation.orbits import Orbits
from discovery.estimation.split import PROBES, Split
from discovery.formulas.simple_numbers import Numbers
from discovery.laws.decaying.slowed import Slopes
from discovery.laws.finding.candidates import expression
from discovery.laws.judging.decay import Decay
from discovery.laws.judging.drift import DriftTest
from discovery.laws.judging.law import Law
from discovery.laws.judging.verdict import Verdict
from discovery.laws.search import analyse
from discovery.laws.stage import Stage
from discovery.laws.trials import Wanted
from discovery.libraries.embedded import Embedded
from discovery.libraries.library import Library
from discovery.libraries.monomials import symbols_of


@dataclass(frozen=True)
class Among:
    """All columns of data of which some are coordinates.

    Attributes
    ----------
    orbits : Orbits
        Of all columns.
    names : tuple of str
        Theirs.
    coordinates : tuple of int
        The columns that are coordinates.
    """

    orbits: Orbits
    names: tuple[str, ...]
    coordinates: tuple[int, ...]


@dataclass(frozen=True)
class Moving:
    """Runs, and what is known of them.

    Attributes
    ----------
    orbits : Orbits
        Of d coordinates.
    times : (n,) array
    names : tuple of d str
    roles : tuple of d str or None
    fit, held : arrays of int
        Runs that formulas are found on, and those that judge them.
    among : Among or None
        Where the coordinates are among more columns, which the laws are to be of.
    windows : int
        Of each of few runs, which are judged by these; 0 where runs judge.
    """

    orbits: Orbits
    times: np.ndarray
    names: tuple[str, ...]
    roles: tuple[str | None, ...]
    fit: np.ndarray
    held: np.ndarray
    among: Among | None = None
    windows: int = 0

    def laws(
        self,
        stages: Sequence[Stage],
        orbits: Orbits,
        rng: np.random.Generator,
        numbers: Numbers,
        wanted: Wanted | None = None,
    ) -> list[Law]:
        """Return the laws of orbits, or what few obey.

        Parameters
        ----------
        stages : sequence of Stage
        orbits : Orbits
            Of all runs; they may have further columns.
        rng : numpy.random.Generator
            Draws the resamples.
        numbers : Numbers
            What coefficients are rounded to.
        wanted : Wanted, optional
            As for `laws.search.analyse`.
        """
        limits = {"numbers": numbers, "wanted": wanted}
        if not self.windows:
            return analyse(stages, Split.of(orbits, self.fit, self.held, rng), rng, **limits).laws
        split = Split.in_time(orbits.in_windows(self.windows), rng)
        if split is None:
            return []
        found = analyse(stages, split, rng, **limits)
        laws = found.along_runs(orbits.n_runs, orbits.measured.states.shape[1]).laws
        return [
            replace(law, covariance=test.least.error_covariance(law.coefficients))
            for law in laws
            for test in [DriftTest(law.library, law.coefficients, split.all)]
        ]

    @property
    def law(self) -> Verdict:
        """What is called a law here."""
        return Verdict.ALONG_RUN if self.windows else Verdict.EXACT

    @property
    def momenta(self) -> list[int]:
        """Columns of velocities and momenta."""
        return [i for i, role in enumerate(self.roles) if role in MOMENTA]

    @property
    def probes(self) -> np.ndarray:
        """Some states of the smooth path, (k, d)."""
        states = self.orbits.smoothed.states
        return states[:: max(1, len(states) // PROBES)]

    def gradients(self, laws: Sequence[Law]) -> list[np.ndarray]:
        """Return gradients of laws of the coordinates, or of all columns, at some states."""
        return [self._gradient(law) for law in laws]

    def _gradient(self, law: Law) -> np.ndarray:
        whole = self._is_of_all(law)
        orbits = self.among.orbits if whole else self.orbits
        states = orbits.smoothed.states
        slopes = law.gradient(states[:: max(1, len(states) // PROBES)], orbits.scale)
        return slopes[:, list(self.among.coordinates)] if whole else slopes

    def _is_of_all(self, law: Law) -> bool:
        return self.among is not None and len(law.library.symbols) > len(self.names)

    def slopes(self, law: Law) -> Slopes:
        """Return the slopes of a law in the velocities, as a function of the coordinates."""

        def slopes(states: np.ndarray) -> np.ndarray:
            if self._is_of_all(law):
                states, some = self.among.orbits.smoothed.states.copy(), states
                states[:, list(self.among.coordinates)] = some
            gradient = law.gradient(states, np.ones(states.shape[1]))
            if self._is_of_all(law):
                gradient = gradient[:, list(self.among.coordinates)]
            return gradient[:, self.momenta]

        return slopes

    def embedded(self, law: Law) -> Law:
        """Return a law of the coordinates as one of all columns."""
        if self.among is None:
            return law
        symbols = symbols_of(self.among.names)
        return replace(law, library=Embedded(law.library, symbols, self.among.coordinates))


def stripped(
    law: Law,
    library: Library,
    coefficients: np.ndarray,
    covariance: np.ndarray,
    decay: Decay,
    numbers: Numbers,
) -> Law:
    """Return a law without what its balance is made of, as one that decays.

    Parameters
    ----------
    law : Law
        Of the balance.
    library : Library
        Its s terms but for those of the balance.
    coefficients : (s,) array
    covariance : (s, s) array
        Of their errors.
    decay : Decay
    numbers : Numbers
        What coefficients are rounded to.
    """
    return replace(
        law,
        library=library,
        coefficients=coefficients,
        covariance=covariance,
        expression=expression(library.expressions(), coefficients, numbers),
        verdict=law.verdict if law.verdict == Verdict.APPROXIMATE else Verdict.DECAYING,
        alternatives=(),
        decay=decay,
    )


def share_below(values: np.ndarray) -> float:
    """Return the sum of what is negative over that of what is positive."""
    return float(-np.minimum(values, 0).sum() / max(np.maximum(values, 0).sum(), 1e-300))
