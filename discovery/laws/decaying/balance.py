"""The balance of an energy with what friction takes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import sympy

from discovery.criteria import FORMULAS, LAWS
from discovery.estimation.along import beside, integrals, trapezoids
from discovery.estimation.orbits import Orbits
from discovery.formulas.simple_numbers import Numbers
from discovery.laws.decaying.moving import Moving, share_below, stripped
from discovery.laws.decaying.slowed import slowed
from discovery.laws.finding.rounding import widths
from discovery.laws.judging.decay import Decay, frequency
from discovery.laws.judging.drift import DriftTest
from discovery.laws.judging.law import Law
from discovery.laws.judging.verdict import Verdict
from discovery.libraries.dissipative import Loss
from discovery.libraries.functions import Functions
from discovery.libraries.library import Library


@dataclass(frozen=True)
class Balance:
    """Energies with the losses of friction beside them.

    Attributes
    ----------
    losses : list of k Loss
    moving : Moving
    exact : tuple of Law
        What is conserved.
    numbers : Numbers
    """

    losses: list[Loss]
    moving: Moving
    exact: tuple[Law, ...]
    numbers: Numbers

    @cached_property
    def orbits(self) -> Orbits:
        """The orbits with the integrals of the losses as further columns."""
        orbits, times = self.moving.orbits, self.moving.times
        taken, errors = integrals(
            orbits.smoothed,
            times,
            orbits.offsets,
            lambda states: np.column_stack([loss.values(states) for loss in self.losses]),
        )
        unseen = [loss.unseen(orbits.measured, orbits.smoothed) for loss in self.losses]
        taken += trapezoids(np.column_stack(unseen), times, orbits.offsets)
        return beside(orbits, taken, times, errors)

    @cached_property
    def _kinds(self) -> dict[sympy.Symbol, Loss]:
        return {loss.symbol: loss for loss in self.losses}

    def parts(self, library: Functions) -> tuple[list[int], list[int]]:
        """Return which of a library's terms are of the energy, and which are losses."""
        terms = library.expressions()
        lost = [j for j, term in enumerate(terms) if term in self._kinds]
        return [j for j in range(len(terms)) if j not in lost], lost

    def _rates(
        self, library: Functions, lost: Sequence[int], states: np.ndarray | None = None
    ) -> np.ndarray:
        """Return what is lost in a unit of time by each of the given terms, (k, n)."""
        states = self.moving.orbits.smoothed.states if states is None else states
        terms = library.expressions()
        return np.array([self._kinds[terms[j]].values(states) for j in lost])

    def _energy_terms(self, library: Functions, kept: Sequence[int]) -> Library:
        library = library.restrict(kept)
        symbols = library.symbols[: len(self.moving.names)]
        return Library(symbols, library.atoms, library.exponents, library.name)

    def __call__(self, library: Functions, coefficients: np.ndarray) -> bool:
        """Tell whether terms are an energy with a loss, before they are judged.

        Of a kinetic energy that is not negative, by the same share as in `is_energy`, and with
        losses whose sum takes.
        """
        kept, lost = self.parts(library)
        if not kept or not lost:
            return False
        kinetic = self._twice_kinetic(self._energy_terms(library, kept), coefficients[kept])
        sign = np.sign(kinetic.mean())
        if not sign or share_below(sign * kinetic) > LAWS.friction_gives:
            return False
        return bool(sign * (coefficients[lost] @ self._rates(library, lost)).mean() > 0)

    def is_energy(self, law: Law, verdict: Verdict | None = None) -> bool:
        """Tell whether a law, or what has the given verdict, is an energy with its losses.

        Friction takes and never gives, and takes of a kinetic energy, which is never negative.
        """
        kept, lost = self.parts(law.library)
        if law.verdict != (verdict or self.moving.law) or not kept or not lost:
            return False
        terms, factors = law.library.expressions(), law.coefficients[lost]
        kinetic = self._twice_kinetic(self._energy_terms(law.library, kept), law.coefficients[kept])
        sign = np.sign(kinetic.mean())
        powers = np.array([self._kinds[terms[j]].power for j in lost])
        if not sign or (sign * factors[powers > 0] < 0).any():
            return False
        loss = factors @ self._rates(law.library, lost)
        return max(share_below(sign * kinetic), share_below(sign * loss)) <= LAWS.friction_gives

    def rest(self, law: Law) -> float:
        """Return how much of an energy's motion along runs friction does not explain."""
        kept, _ = self.parts(law.library)
        energy = law.coefficients[kept] @ law.library.restrict(kept).values(
            self.orbits.smoothed.states
        )
        moved = [
            _within(v, self.moving.orbits.offsets)
            for v in (law.values(self.orbits.smoothed.states), energy)
        ]
        return float(np.sqrt(moved[0] / max(moved[1], 1e-300)))

    def _twice_kinetic(
        self, library: Functions, coefficients: np.ndarray, states: np.ndarray | None = None
    ) -> np.ndarray:
        """Return v·∂h/∂v, twice the kinetic energy, at each state, (n,)."""
        states = self.moving.orbits.smoothed.states if states is None else states
        _, slopes, _ = library.jets(states, order=1)
        return sum(states[:, i] * (coefficients @ slopes[i]) for i in self.moving.momenta)

    def _fitted(self, law: Law, lost: Sequence[int]) -> np.ndarray:
        """Return the coefficients with losses as all runs tell them beside the energy.

        A law is found on some of the runs, and written in simple numbers; a rate is measured.
        """
        windows = self.moving.windows
        orbits = self.orbits.in_windows(windows) if windows else self.orbits
        test = DriftTest(law.library, law.coefficients, orbits)
        return test.refitted(law.coefficients, ~np.isin(np.arange(len(law.library)), lost))

    def energy(self, law: Law) -> Law:
        """Return an energy without its losses."""
        kept, lost = self.parts(law.library)
        library, errors = self._energy_terms(law.library, kept), law.errors[kept]
        coefficients = _simplest(law.coefficients[kept], errors, self.numbers)
        largest = int(np.argmax(np.abs(coefficients)))
        change = coefficients[largest] / law.coefficients[kept][largest]
        factors, errors = self._fitted(law, lost)[lost] * change, errors * abs(change)
        plain = replace(law, library=library, coefficients=coefficients)
        states = self._slowed(law, lost, plain)
        rates = self._rates(law.library, lost, states)
        loss, kinetic = factors @ rates, self._twice_kinetic(library, coefficients, states)
        size = kinetic.mean()
        rate = float(abs(loss.mean() / size))
        uncertain = np.array(
            [
                *(rate * self._twice_kinetic(library, e, states) for e in np.diag(errors)),
                *(change * law.errors[lost][:, None] * rates),
            ]
        )
        uneven = np.mean((loss - np.sign(size * loss.mean()) * rate * kinetic) ** 2)
        uneven -= np.mean(np.sum(uncertain**2, axis=0))
        moving = self.moving
        turning = states[:, moving.momenta]
        decay = Decay(
            rate=rate,
            error=float(np.linalg.norm(uncertain.mean(axis=1)) / abs(size)),
            frequency=frequency(turning, moving.times, moving.orbits.offsets),
            losses=tuple(self._kinds[law.library.expressions()[j]].expression for j in lost),
            factors=tuple(factors.tolist()),
            uneven=float(np.sqrt(max(uneven, 0.0) / np.mean(loss**2))),
        )
        covariance = law.covariance[np.ix_(kept, kept)] * change**2
        return stripped(law, library, coefficients, covariance, decay, self.numbers)

    def _slowed(self, law: Law, lost: Sequence[int], energy: Law) -> np.ndarray:
        """Return states with the velocities that friction takes from.

        Conserved momenta are left out where friction takes as much without them.
        """
        states, moving = self.moving.orbits.smoothed.states, self.moving
        known = [moving.slopes(own) for own in self.exact]
        less = slowed(states, moving.momenta, moving.slopes(energy), known)
        rates = self._rates(law.library, lost)
        change = self._rates(law.library, lost, less) - rates
        error = FORMULAS.interval * np.linalg.norm(law.errors[lost] @ abs(change))
        allowed = error + LAWS.friction_gives * np.linalg.norm(law.coefficients[lost] @ rates)
        unlike = np.linalg.norm(law.coefficients[lost] @ change) > allowed
        return states if unlike else less


def _simplest(coefficients: np.ndarray, errors: np.ndarray, numbers: Numbers) -> np.ndarray:
    """Return coefficients in the simplest numbers, which those of losses beside them do not spoil.

    Where there are none that fit, as they are.
    """
    known = {i: widths(coefficients, errors, i) for i in range(len(coefficients))}
    found = numbers.simplest(coefficients, known, (1.0,), lambda trial: True, measured=True)
    return coefficients if found is None else found


def _within(values: np.ndarray, offsets: np.ndarray) -> float:
    """Return the variance along runs."""
    means = np.add.reduceat(values, offsets[:-1]) / np.diff(offsets)
    return float(np.mean((values - np.repeat(means, np.diff(offsets))) ** 2))
