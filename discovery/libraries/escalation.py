"""What ``library="auto"`` tries, from simple to rich, by the coordinates' roles and values."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from discovery.criteria import LIBRARIES
from discovery.data.coordinates import MOMENTA, group_bodies, infer_roles, named_rates, role_of_name
from discovery.libraries.curvilinear import clear_sines, curvilinear, of_one_angle
from discovery.libraries.families import (
    POTENTIALS,
    differences,
    exponential,
    logarithmic,
    mechanics,
    multipoles,
    of_distances_alone,
    phases,
    plane_flow,
    polynomial,
    powers,
    radial,
    trigonometric,
)
from discovery.libraries.library import Library
from discovery.libraries.many_bodies.bodies import Bodies
from discovery.libraries.monomials import MAX_TERMS, term_count
from discovery.libraries.omitted import Omitted
from discovery.libraries.rational import (
    NARROWEST,
    gaps,
    invertible,
    mostly_positive,
    rational,
    ratios,
)
from discovery.libraries.unknown_scale import Scaled, of_logarithms, scaled
from discovery.libraries.warped import warps

# What may be tried: functions, functions of an unknown length, what is too large, or sums.
Given: TypeAlias = Library | Scaled | Omitted | Bodies

# Cross ratios are of four angles, and their products with each other of three.
_FEWEST_PHASES = 3
# Two bodies in a plane.
_FEWEST_OF_BODIES = 8


def linear(names: Sequence[str], columns: Sequence[int] | None = None) -> Library | Omitted:
    """Return the coordinates as functions, or of very many their name.

    Parameters
    ----------
    names : sequence of d str
    columns : sequence of int, optional
        Some of them; all by default.
    """
    number = len(names if columns is None else columns)
    if number > LIBRARIES.wide:
        return Omitted("polynomial(1)", number, "of so many columns sums over bodies are tried")
    return polynomial(names, 1, columns)


def escalation(
    names: Sequence[str],
    roles: Sequence[str | None] | None,
    rows: np.ndarray,
    rates: np.ndarray | None = None,
    noise: np.ndarray | float = 0.0,
    iterates: bool = False,
) -> list[Given]:
    """Return the libraries to try in turn, and by name those with too many terms.

    Parameters
    ----------
    names, roles : sequences of length d
    rows : (n, d) array
    rates : (n, d) array, optional
        Time derivatives at the rows; they tell positions from velocities where roles are unknown.
    noise : (d,) array, optional
        Standard deviation of each coordinate's noise.
    iterates : bool
        Whether the rows lie on no path. Nothing takes their noise off, and of many powers it makes
        false null vectors: quotients of low degree, as integrable maps keep, come first.
    """
    given = roles is not None and any(roles)
    roles = infer_roles(names, roles, rows, rates)
    level = np.broadcast_to(noise, len(names))
    curved = "angle" in roles
    bodies = None if curved or iterates else Bodies.seen(names, roles, rows, rates)
    # A noisy angle has no cosine that tells anything: it is tried as an unknown coordinate.
    noisy = level > LIBRARIES.angle_noise
    roles = [None if role == "angle" and noisy[i] else role for i, role in enumerate(roles)]
    seen = _Seen(names, roles, rows, level, curved, given)
    stages: list[Given] = [] if bodies is None else [linear(names, seen.straight), bodies]
    products = term_count(len(names), 2)
    if bodies is not None and products > MAX_TERMS:
        # All that follows holds products of any two coordinates: it would be built for nothing.
        stages += _apart(names, seen.straight, bodies)
        return [*stages, Omitted("products of coordinates, and what holds them", products)]
    stages += _sums_and_squares(seen, bodies is None)
    stages += _of_angles(seen)
    stages += _of_amounts(seen)
    if not curved:
        stages += _of_mechanics(seen, iterates)
    stages += _with_quotients(seen, iterates)
    if not curved:
        stages += warps(names, rows)
    stages = [stage for stage in stages if len(stage)]
    stages = [s for i, s in enumerate(stages) if i == 0 or s.terms != stages[i - 1].terms]
    if bodies is not None:
        stages = [
            # With a coefficient for every pair a search for a scale takes minutes.
            Omitted(s.name, len(s), "sums over bodies take its place")
            if isinstance(s, Scaled)
            else s
            for s in stages
        ]
    stages = [s if len(s) <= MAX_TERMS else Omitted(s.name, len(s)) for s in stages]
    products = term_count(len(seen.straight), 2)
    if products > MAX_TERMS:
        stages.append(Omitted("products of coordinates", products))
    if bodies is None and not (curved or iterates):
        # A number for every body and pair is more than close encounters tell through noise.
        few = Bodies.seen(names, roles, rows, rates, fewest=_FEWEST_OF_BODIES)
        stages += [] if few is None or few.axes < 2 else [few]
    return stages


@dataclass(frozen=True)
class _Seen:
    """What is seen of d columns.

    Attributes
    ----------
    names, roles : sequences of length d
        An angle whose noise is large has no role.
    rows : (n, d) array
    noise : (d,) array
        Its standard deviation.
    curved : bool
        Whether there are angles, also noisy ones.
    given : bool
        Whether the user gave roles.
    """

    names: Sequence[str]
    roles: Sequence[str | None]
    rows: np.ndarray
    noise: np.ndarray
    curved: bool
    given: bool

    @property
    def angles(self) -> list[int]:
        """Columns that are angles."""
        return [i for i, role in enumerate(self.roles) if role == "angle"]

    @property
    def straight(self) -> list[int]:
        """The other columns."""
        return [i for i, role in enumerate(self.roles) if role != "angle"]

    @property
    def positions(self) -> list[int]:
        """Columns that are places."""
        return [i for i, role in enumerate(self.roles) if role == "position"]


def _sums_and_squares(seen: _Seen, alone: bool) -> list[Given]:
    """Return sums before their squares; single columns where there are too many products.

    Sums alone where sums over bodies (not `alone`) do not hold them.
    """
    if not seen.straight:
        return []
    few = term_count(len(seen.straight), 2) <= MAX_TERMS
    out: list[Given] = []
    if few or alone:
        out.append(polynomial(seen.names, 2 if few else 1, seen.straight))
    return out if few else out + _apart(seen.names, seen.straight)


def _of_angles(seen: _Seen) -> list[Given]:
    """Return functions of angles: harmonics, and cross ratios where there are angles alone.

    Of angles that stay within a turn polynomials too: a wire that is twisted has no period.
    """
    if not seen.angles:
        return []
    out: list[Given] = [trigonometric(seen.names, seen.roles, order) for order in (2, 3)]
    if np.ptp(seen.rows[:, seen.angles], axis=0).max() < 2 * np.pi:
        out.insert(1, polynomial(seen.names, 2))
    if len(seen.angles) == len(seen.names) >= _FEWEST_PHASES:
        out.append(phases(seen.names))
    return out


def _of_amounts(seen: _Seen) -> list[Given]:
    """Return logarithms of what is positive, and exponentials of what may be a logarithm."""
    # Roles that rates alone suggest are no reason against a logarithm.
    pairs = named_rates(seen.names)
    told = {*pairs, *pairs.values()}
    open_to = [
        role in ("amount", None, "other") or not (seen.given or role_of_name(name) or i in told)
        for i, (name, role) in enumerate(zip(seen.names, seen.roles, strict=True))
    ]
    positive = [
        i for i in seen.straight if open_to[i] and mostly_positive(seen.rows[:, i], seen.noise[i])
    ]
    out: list[Given] = [logarithmic(seen.names, positive)] if positive else []
    if seen.curved:
        return out
    # Without velocities nothing but a name tells places from what else is recorded.
    told = seen.given or any(role in MOMENTA for role in seen.roles)
    unlike = [i for i in seen.straight if seen.roles[i] in ("amount", "other", None) or not told]
    return out + of_logarithms(seen.names, unlike)


def _of_mechanics(seen: _Seen, iterates: bool) -> list[Given]:
    """Return functions of straight coordinates, and of the distances between places."""
    names, roles = seen.names, seen.roles
    out: list[Given] = []
    if len(seen.positions) >= 2:
        out += [mechanics(names, roles), mechanics(names, roles, products=True)]
        out.append(differences(names, roles))
    d = len(seen.straight)
    degree = max((p for p in range(3, 7) if term_count(d, p) <= MAX_TERMS), default=0)
    if degree:
        # Of many powers noise makes false null vectors: those of low degree come first.
        out.append(polynomial(names, min(degree, 4), seen.straight))
    if not seen.positions and not iterates:
        out += _of_pairs(names, roles)
    if seen.positions:
        # A few functions of the distance come before hundreds of powers, which imitate them.
        out += _of_distances(seen)
    if degree > 4:
        out.append(polynomial(names, degree, seen.straight))
    if seen.positions:
        if not seen.given:
            # Nobody said that these are no angles.
            turning = ["angle" if role == "position" else role for role in roles]
            out += [trigonometric(names, turning, order) for order in (2, 3)]
        out.append(exponential(names, roles))
        out += scaled(names, roles)
    return out


def _of_distances(seen: _Seen) -> list[Given]:
    """Return potentials of distances, multipoles, plane flow, gaps and ratios of places."""
    names, roles = seen.names, seen.roles
    out: list[Given | None] = [of_distances_alone(names, roles, "log r")]
    out += [radial(names, roles, [key]) for key in POTENTIALS if key != "1/r"]
    out += [radial(names, roles), multipoles(names, roles), plane_flow(names, roles)]
    out += [gaps(names, roles, seen.rows, seen.noise, products) for products in (False, True)]
    out.append(ratios(names, roles, seen.rows, seen.noise))
    return [library for library in out if library is not None]


def _with_quotients(seen: _Seen, iterates: bool) -> list[Given]:
    """Return functions with inverse powers of what stays clear of zero."""
    names, roles, rows = seen.names, seen.roles, seen.rows
    away = invertible(rows, roles, seen.noise)
    out: list[Given | None] = []
    if seen.curved:
        clear = clear_sines(rows, roles, seen.noise)
        out.append(curvilinear(names, roles, away, clear))
        out += of_one_angle(names, roles, clear)
    if away and iterates:
        out.append(rational(names, roles, away, widest=NARROWEST))
    if away:
        out += [rational(names, roles, away, n) for n in ((1, 2) if seen.angles else (1,))]
    if away and set(roles) & set(MOMENTA):
        out.append(rational(names, roles, away, order=0))
    return [library for library in out if library is not None]


def _apart(
    names: Sequence[str], columns: Sequence[int], bodies: Bodies | None = None
) -> list[Library]:
    """Return functions of single columns, and of single places with their velocities.

    Where products of all columns are too many, motions that do not couple have their laws here.
    """
    if len(names) > LIBRARIES.wide:
        return []
    if bodies is None:
        return [powers(names, columns, degree) for degree in (2, 4)]
    both = zip(itertools.chain(*bodies.positions), itertools.chain(*bodies.momenta), strict=True)
    alone = [polynomial(names, 4, pair) for pair in both]
    for library in alone:
        library.name = f"of {', '.join(map(str, library.atoms))} alone"
    return [powers(names, columns), *alone]


def _of_pairs(names: Sequence[str], roles: Sequence[str | None]) -> list[Library]:
    """Return functions of distances where names tell bodies and nothing tells velocities.

    Vortices need none, nor do what drifts across a field or creeps in a fluid.
    """
    # Where all values are positive, places are taken for amounts.
    untold = [
        i
        for i, role in enumerate(roles)
        if role in (None, "amount") and role_of_name(names[i]) == "position"
    ]
    bodies = group_bodies([names[i] for i in untold], untold)
    if len(bodies) < 2 or {len(body) for body in bodies} not in ({2}, {3}):
        return []
    places = ["position" if i in untold else role for i, role in enumerate(roles)]
    alone = [radial(names, places, [key]) for key in ("log r", "1/r", "r")]
    return [*alone, radial(names, places)]
