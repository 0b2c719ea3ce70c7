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

import numpy as np
import sympy

from discovery.criteria import LAWS
from discovery.estimation.along import beside, elapsed
from discovery.estimation.orbits import Orbits
from discovery.estimation.split import Split
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.laws.decaying.balance import Balance
from discovery.laws.decaying.moving import Moving, share_below, stripped
from discovery.laws.decaying.rate_search import Growing
from discovery.laws.decaying.ratios import ratios
from discovery.laws.judging.decay import Decay, frequency
from discovery.laws.judging.drift import DriftTest
from discovery.laws.judging.independence import independent
from discovery.laws.judging.law import Findings, Law
from discovery.laws.judging.verdict import Verdict
from discovery.laws.search import analyse
from discovery.laws.stage import Stage
from discovery.laws.stages import Closed
from discovery.libraries.dissipative import even_terms, losses, odd_terms, with_losses
from discovery.libraries.families import polynomial
from discovery.libraries.functions import Functions
from discovery.libraries.library import Library
from discovery.libraries.omitted import Omitted
from discovery.libraries.unknown_scale import Scaled
from discovery.libraries.warped import WARPS

# Terms of the largest library that losses are looked for beside, and losses of all kinds.
_MOST, _MOST_OF_ALL = 80, 60
_CLOCK = sympy.Dummy("t", real=True)


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
        energies = _losing(libraries, moving, exact, rng, numbers)
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
    return share_below(np.sign(twice_kinetic.mean()) * twice_kinetic) <= LAWS.friction_gives


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
    exact: Sequence[Law],
    rng: np.random.Generator,
    numbers: Numbers,
) -> list[Law]:
    """Return energies whose balance with what friction takes holds."""
    tiers = losses(moving.names, moving.roles)
    every = list(dict.fromkeys(loss for tier in tiers for loss in tier))
    balance = Balance(every, moving, tuple(exact), numbers)
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
    covariance = law.covariance[np.ix_(kept, kept)]
    return stripped(law, inner, law.coefficients[kept], covariance, decay, numbers)


def _new(laws: Sequence[Law], exact: Sequence[Law], moving: Moving) -> list[Law]:
    """Return the laws that are functions neither of exact ones nor of those before them."""
    gradients, known = moving.gradients(laws), moving.gradients(exact)
    return [laws[k] for k in independent(gradients, known, [law.sine for law in laws])]
