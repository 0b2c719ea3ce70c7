"""The search for what decays: quantities that would be conserved without friction.

Two equations make a law of what decays, with columns that grow along the runs beside the
coordinates (`estimation.along`):

    h + ∫ D dt = constant     friction takes D ≥ 0 of an energy h: v², |v|³ and |v| in turn
    e^{γt} h = constant       h decays by itself

Whatever passes the checks of an exact law in these columns is a decaying one. Any f obeys
d/dt f = ḟ; so D is a sum of few functions of the velocities that are even in them, and so is h.
Motion without friction can be reversed: ḣ is odd in the velocities along it, and no such D is, so
that nothing decays there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import sympy

from discovery.criteria import LAWS
from discovery.data.coordinates import MOMENTA
from discovery.estimation.along import beside, elapsed, integrals, trapezoids
from discovery.estimation.orbits import Orbits
from discovery.estimation.split import PROBES, Split
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.laws.decaying.rate_search import Growing
from discovery.laws.decaying.ratios import ratios
from discovery.laws.finding.candidates import expression
from discovery.laws.finding.rounding import widths
from discovery.laws.judging.decay import Decay, frequency
from discovery.laws.judging.drift import DriftTest
from discovery.laws.judging.independence import independent
from discovery.laws.judging.law import Findings, Law
from discovery.laws.judging.verdict import Verdict
from discovery.laws.search import analyse
from discovery.laws.stages import Closed, Stage
from discovery.laws.trials import Wanted
from discovery.libraries.dissipative import Loss, even_terms, losses, odd_terms, with_losses
from discovery.libraries.embedded import Embedded
from discovery.libraries.families import polynomial
from discovery.libraries.functions import Functions
from discovery.libraries.library import Library
from discovery.libraries.monomials import symbols_of
from discovery.libraries.omitted import Omitted
from discovery.libraries.unknown_scale import Scaled
from discovery.libraries.warped import WARPS

# Terms of the largest library that losses are looked for beside, and losses of all kinds.
_MOST, _MOST_OF_ALL = 80, 60
_CLOCK = sympy.Dummy("t", real=True)


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
            replace(law, errors=test.standard_errors(law.coefficients))
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
        whole = self.among is not None and len(law.library.symbols) > len(self.names)
        orbits = self.among.orbits if whole else self.orbits
        states = orbits.smoothed.states
        slopes = law.gradient(states[:: max(1, len(states) // PROBES)], orbits.scale)
        return slopes[:, list(self.among.coordinates)] if whole else slopes

    def embedded(self, law: Law) -> Law:
        """Return a law of the coordinates as one of all columns."""
        if self.among is None:
            return law
        symbols = symbols_of(self.among.names)
        return replace(law, library=Embedded(law.library, symbols, self.among.coordinates))


def with_decaying(
    found: Findings,
    libraries: Sequence[Functions | Scaled | Omitted],
    moving: Moving,
    rng: np.random.Generator,
    numbers: Numbers = NUMBERS,
) -> Findings:
    """Return findings with what decays after the exact laws.

    What is nearly conserved and a function of what decays goes, and all of it where there is no
    room for more: d coordinates have d − 1 functions that are constant, or nearly so. The ratio of
    two that decay at one rate is an exact law, and takes the place of one of them.

    Parameters
    ----------
    found : Findings
    libraries, moving, rng, numbers
        As for `decaying`.
    """
    lost = decaying(libraries, moving, found, rng, numbers)
    if not lost:
        return found
    exact = [law for law in found.laws if law.verdict == Verdict.EXACT]
    others = [law for law in found.laws if law.verdict != Verdict.EXACT]
    stages = [Closed(some) for some in ratios(lost, moving.orbits.measured.states, numbers)]
    if stages and not moving.windows:
        kept = moving.laws(stages, moving.orbits, rng, numbers)
        kept = _new([law for law in kept if law.verdict == Verdict.EXACT], exact, moving)
        # Numbers of a denominator are those of what decays: beside a numerator of the same terms
        # others would do.
        known = max(float(np.max(law.errors / np.abs(law.coefficients))) for law in lost)
        kept = [replace(law, inside=known) for law in kept]
        exact += map(moving.embedded, kept)
        lost = _new(lost, exact, moving)
    room = moving.orbits.most_laws(len(moving.names)) - len(found.identities) - len(exact)
    others = _new(others, [*exact, *lost], moving) if len(lost) < room else []
    return replace(found, laws=[*exact, *map(moving.embedded, lost), *others])


def decaying(
    libraries: Sequence[Functions | Scaled | Omitted],
    moving: Moving,
    found: Findings,
    rng: np.random.Generator,
    numbers: Numbers = NUMBERS,
) -> list[Law]:
    """Return what decays in runs, as laws of their coordinates with verdict ``"decaying"``.

    Parameters
    ----------
    libraries : sequence of Functions, Scaled or Omitted
        What was searched for laws, from simple to rich; those of closed forms are used.
    moving : Moving
    found : Findings
        What is conserved.
    rng : numpy.random.Generator
    numbers : Numbers
        What coefficients are rounded to.

    Returns
    -------
    list of Law
        Independent of the exact laws and of each other; each with its `decay`.
    """
    exact = [law for law in found.laws if law.verdict == Verdict.EXACT]
    left = moving.orbits.most_laws(len(moving.names)) - len(exact) - len(found.identities)
    if left < 1:
        return []
    energies: list[Law] = []
    if moving.momenta and not any(_is_conserved_energy(law, moving) for law in exact):
        energies = _losing(libraries, moving, rng, numbers)
    # Any short piece of one path fades at some rate.
    others = [] if moving.windows else _fading(moving, bool(energies), rng, numbers)
    return _new([*energies, *others], exact, moving)


def _is_conserved_energy(law: Law, moving: Moving) -> bool:
    """Tell whether a law is even in the velocities, with a kinetic energy that is not negative."""
    velocities = [sympy.Symbol(moving.names[i], real=True) for i in moving.momenta]
    reversed_law = law.expression.xreplace({v: -v for v in velocities})
    if sympy.expand(reversed_law - law.expression) != 0 or not law.expression.has(*velocities):
        return False
    (slopes,), states = moving.gradients([law]), moving.probes
    along = states * slopes / moving.orbits.scale
    twice_kinetic = along[:, moving.momenta].sum(axis=1)
    return _share_below(np.sign(twice_kinetic.mean()) * twice_kinetic) <= LAWS.friction_gives


@dataclass(frozen=True)
class _Alone(Closed):
    """A library that is tried only where no simpler one gave what is looked for.

    Attributes
    ----------
    found : callable Law -> bool
        Whether a law is that.
    """

    found: Callable[[Law], bool]

    def libraries(self, fit: Orbits, found: Findings) -> list[Functions] | None:
        if any(self.found(law) for law in found.laws):
            return None
        return super().libraries(fit, found)


def _losing(
    libraries: Sequence[Functions | Scaled | Omitted],
    moving: Moving,
    rng: np.random.Generator,
    numbers: Numbers,
) -> list[Law]:
    """Return energies whose balance with what friction takes holds."""
    tiers = losses(moving.names, moving.roles)
    every = list(dict.fromkeys(loss for tier in tiers for loss in tier))
    balance = _Balance(every, moving, numbers)
    stages: list[Stage] = []
    for library in libraries:
        even = even_terms(library, moving.roles) if _is_plain(library) else None
        if even is None or len(even) > _MOST:
            continue
        some = tiers if len(even) <= _MOST_OF_ALL else tiers[:1]
        stages += [_Alone(with_losses(even, every, tier), balance.is_energy) for tier in some]
    laws = moving.laws(stages, balance.orbits, rng, numbers, balance)
    nearly = [law for law in laws if balance.is_energy(law, Verdict.APPROXIMATE)]
    near = [law for law in nearly[:1] if balance.rest(law) <= LAWS.friction_rest]
    energies = map(balance.energy, [law for law in laws if balance.is_energy(law)] or near)
    return [law for law in energies if law.decay.is_certain]


def _is_plain(library: Functions | Scaled | Omitted) -> bool:
    """Tell whether a library is one of closed forms that are not there to imitate others."""
    return isinstance(library, Library) and library.name.split("(")[0] not in WARPS


@dataclass(frozen=True)
class _Balance:
    """Energies with the losses of friction beside them.

    Attributes
    ----------
    losses : list of k Loss
    moving : Moving
    numbers : Numbers
    """

    losses: list[Loss]
    moving: Moving
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

    def _rates(self, library: Functions, lost: Sequence[int]) -> np.ndarray:
        """Return what is lost in a unit of time by each of the given terms, (k, n)."""
        terms, states = library.expressions(), self.moving.orbits.smoothed.states
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
        if not sign or _share_below(sign * kinetic) > LAWS.friction_gives:
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
        return max(_share_below(sign * kinetic), _share_below(sign * loss)) <= LAWS.friction_gives

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

    def _twice_kinetic(self, library: Functions, coefficients: np.ndarray) -> np.ndarray:
        """Return v·∂h/∂v, twice the kinetic energy, at each state, (n,)."""
        states = self.moving.orbits.smoothed.states
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
        rates = self._rates(law.library, lost).mean(axis=1)
        kinetic = self._twice_kinetic(library, coefficients)
        size = abs(kinetic.mean())
        rate = abs(float(factors @ rates)) / size
        uncertain = [self._twice_kinetic(library, e).mean() for e in np.diag(errors)]
        uncertain = [*(rate * np.array(uncertain)), *(change * law.errors[lost] * rates)]
        orbits, states = self.moving.orbits, self.moving.orbits.smoothed.states
        decay = Decay(
            rate=rate,
            error=float(np.linalg.norm(uncertain)) / size,
            frequency=frequency(states[:, self.moving.momenta], self.moving.times, orbits.offsets),
            losses=tuple(self._kinds[law.library.expressions()[j]].expression for j in lost),
            factors=tuple(factors.tolist()),
        )
        return _stripped(law, library, coefficients, errors, decay, self.numbers)


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


def _share_below(values: np.ndarray) -> float:
    """Return the sum of what is negative over that of what is positive."""
    return float(-np.minimum(values, 0).sum() / max(np.maximum(values, 0).sum(), 1e-300))


def _fading(moving: Moving, odd: bool, rng: np.random.Generator, numbers: Numbers) -> list[Law]:
    """Return functions h with ḣ = −γ h; beside an energy those odd in the velocities."""
    clock = elapsed(moving.times, moving.orbits.offsets)
    stages = []
    for degree in (1, 2):
        library = polynomial(moving.names, degree)
        some = odd_terms(library, moving.roles) if odd else library
        if some is not None and len(some) <= _MOST:
            stages.append(Growing(some, _CLOCK, numbers))
    orbits = beside(moving.orbits, clock[:, None], moving.times)
    split = Split.of(orbits, moving.fit, moving.held, rng)
    laws = analyse(stages, split, rng, numbers).laws
    out = [_of_itself(law, split, moving, numbers) for law in laws if law.verdict == Verdict.EXACT]
    return [law for law in out if law is not None]


def _of_itself(law: Law, split: Split, moving: Moving, numbers: Numbers) -> Law | None:
    """Return h of a law e^{γt} (h − level); None where the rate may be zero.

    With γ wrong by δ the law is e^{γt} (h + δ t h): the coefficient of t h beside it is δ, and its
    standard error that of γ.
    """
    d = len(moving.names)
    growth = next(atom for atom in law.library.atoms if atom.has(_CLOCK))
    rate = float(growth.args[0].coeff(_CLOCK))
    library, h = law.library, law.expression
    more = Library(
        library.symbols,
        [*library.expressions(), _CLOCK * h],
        np.eye(len(library) + 1, dtype=int).tolist(),
    )
    start = np.append(law.coefficients, 0.0)
    test = DriftTest(more, start, split.all)
    fitted, main = test.refined(), int(np.argmax(np.abs(start)))
    # The rate was found on smooth paths, which are a little too flat.
    rate += float(fitted[-1] / fitted[main] * start[main])
    error = float(test.standard_errors(start)[-1])
    plain = [e.xreplace({growth: sympy.Integer(1)}) for e in library.expressions()]
    kept = [j for j, e in enumerate(plain) if not e.is_number]
    if not kept:
        return None
    at = library.atoms.index(growth)
    inner = Library(
        library.symbols[:d],
        [a for a in library.atoms if a != growth],
        [tuple(p for k, p in enumerate(library.exponents[j]) if k != at) for j in kept],
        library.name,
    )
    states = moving.orbits.smoothed.states
    turning = states[:, moving.momenta] if moving.momenta else states - states.mean(axis=0)
    # A law has no constant of its own, but what it decays to is one.
    level = -sum(float(c * e) for c, e in zip(law.coefficients, plain, strict=True) if e.is_number)
    turned = frequency(turning, moving.times, moving.orbits.offsets)
    decay = Decay(rate, error, turned, level=level)
    if not decay.is_certain:
        return None
    return _stripped(law, inner, law.coefficients[kept], law.errors[kept], decay, numbers)


def _stripped(
    law: Law,
    library: Library,
    coefficients: np.ndarray,
    errors: np.ndarray,
    decay: Decay,
    numbers: Numbers,
) -> Law:
    return replace(
        law,
        library=library,
        coefficients=coefficients,
        errors=errors,
        expression=expression(library.expressions(), coefficients, numbers),
        verdict=law.verdict if law.verdict == Verdict.APPROXIMATE else Verdict.DECAYING,
        alternatives=(),
        decay=decay,
    )


def _new(laws: Sequence[Law], exact: Sequence[Law], moving: Moving) -> list[Law]:
    """Return the laws that are functions neither of exact ones nor of those before them."""
    gradients, known = moving.gradients(laws), moving.gradients(exact)
    return [laws[k] for k in independent(gradients, known, [law.sine for law in laws])]
