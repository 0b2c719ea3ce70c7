"""What ``library="auto"`` tries, from simple to rich, by the coordinates' roles and values."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from discovery.criteria import LIBRARIES
from discovery.data.coordinates import group_bodies, infer_roles, role_of_name
from discovery.libraries.curvilinear import clear_sines, curvilinear, of_one_angle
from discovery.libraries.families import (
    POTENTIALS,
    differences,
    exponential,
    logarithmic,
    mechanics,
    multipoles,
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
from discovery.libraries.unknown_scale import Scaled, scaled
from discovery.libraries.warped import warps

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
) -> list[Library | Scaled | Omitted | Bodies]:
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
    d = len(names)
    level = np.broadcast_to(noise, d)
    curved = "angle" in roles
    # A noisy angle has no cosine that tells anything: it is tried as an unknown coordinate.
    noisy = level > LIBRARIES.angle_noise
    roles = [None if role == "angle" and noisy[i] else role for i, role in enumerate(roles)]
    angles = [i for i in range(d) if roles[i] == "angle"]
    straight = [i for i in range(d) if i not in angles]
    stages: list[Library | Scaled | Omitted | Bodies] = []
    bodies = None if curved or iterates else Bodies.seen(names, roles, rows, rates)
    if bodies is not None:
        stages += [linear(names, straight), bodies]
        products = term_count(d, 2)
        if products > MAX_TERMS:
            # All that follows holds products of any two coordinates: it would be built for nothing.
            stages += _apart(names, straight, bodies)
            return [*stages, Omitted("products of coordinates, and what holds them", products)]
    if straight:
        # Sums before their squares, also where there are too many products.
        few = term_count(len(straight), 2) <= MAX_TERMS
        if few or bodies is None:
            stages.append(polynomial(names, 2 if few else 1, straight))
        if not few:
            stages += _apart(names, straight)
    if angles:
        stages += [trigonometric(names, roles, order) for order in (2, 3)]
    if len(angles) == d >= _FEWEST_PHASES:
        stages.append(phases(names))
    # Roles that rates alone suggest are no reason against a logarithm.
    open_to = [
        role in ("amount", None, "other") or not (given or role_of_name(name))
        for name, role in zip(names, roles, strict=True)
    ]
    positive = [i for i in straight if open_to[i] and mostly_positive(rows[:, i], level[i])]
    if positive:
        stages.append(logarithmic(names, positive))
    positions = [i for i in range(d) if roles[i] == "position"]
    if len(positions) >= 2 and not curved:
        stages += [mechanics(names, roles), mechanics(names, roles, products=True)]
        stages.append(differences(names, roles))
    degree = max((p for p in range(3, 7) if term_count(len(straight), p) <= MAX_TERMS), default=0)
    if degree and not curved:
        # Of many powers noise makes false null vectors: those of low degree come first.
        stages.append(polynomial(names, min(degree, 4), straight))
    if not positions and not curved and not iterates:
        stages += _of_pairs(names, roles)
    if positions and not curved:
        # A few functions of the distance come before hundreds of powers, which imitate them.
        stages += [radial(names, roles, [key]) for key in POTENTIALS if key != "1/r"]
        stages.append(radial(names, roles))
        poles = (multipoles(names, roles), plane_flow(names, roles))
        stages += [library for library in poles if library is not None]
        lines = (gaps(names, roles, rows, level, products) for products in (False, True))
        stages += [library for library in lines if library is not None]
        turning = ratios(names, roles, rows, level)
        stages += [] if turning is None else [turning]
    if degree > 4 and not curved:
        stages.append(polynomial(names, degree, straight))
    if positions and not curved:
        if not given:
            # Nobody said that these are no angles.
            turning = ["angle" if role == "position" else role for role in roles]
            stages += [trigonometric(names, turning, order) for order in (2, 3)]
        stages.append(exponential(names, roles))
        stages += scaled(names, roles)
    away = invertible(rows, roles, level)
    divided = []
    if curved:
        clear = clear_sines(rows, roles, level)
        divided.append(curvilinear(names, roles, away, clear))
        divided += of_one_angle(names, roles, clear)
    if away and iterates:
        divided.append(rational(names, roles, away, widest=NARROWEST))
    if away:
        divided += [rational(names, roles, away, order) for order in ((1, 2) if angles else (1,))]
    stages += [library for library in divided if library is not None]
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
    products = term_count(len(straight), 2)
    if products > MAX_TERMS:
        stages.append(Omitted("products of coordinates", products))
    if bodies is None and not (curved or iterates):
        # A number for every body and pair is more than close encounters tell through noise.
        few = Bodies.seen(names, roles, rows, rates, fewest=_FEWEST_OF_BODIES)
        stages += [] if few is None or few.axes < 2 else [few]
    return stages


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
