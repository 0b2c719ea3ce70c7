"""What ``library="auto"`` tries, from simple to rich, by the coordinates' roles and values."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from discovery.libraries.builders import (
    MAX_TERMS,
    POTENTIALS,
    chain,
    exponential,
    logarithmic,
    mechanics,
    polynomial,
    radial,
    term_count,
    trigonometric,
)
from discovery.libraries.library import Library

_ANGLE_NAMES = re.compile(r"(theta|phi|psi|angle|alpha|beta|gamma|th|q_?ang)_?\d*", re.IGNORECASE)
_VELOCITY_NAMES = re.compile(r"(v|vx|vy|vz|u|w|p|px|py|pz|p_x|p_y|p_z|.*dot|omega)_?\d*", re.I)
_POSITION_NAMES = re.compile(r"(x|y|z|q|r|qx|qy|qz|q_x|q_y|q_z)_?\d*", re.IGNORECASE)


def escalation(
    names: Sequence[str], roles: Sequence[str | None], rows: np.ndarray
) -> list[Library]:
    """Return the libraries to try in turn."""
    roles = infer_roles(names, roles, rows)
    d = len(names)
    angles = [i for i in range(d) if roles[i] == "angle"]
    straight = [i for i in range(d) if i not in angles]
    stages: list[Library] = []
    if straight:
        stages.append(polynomial(names, 2, straight))
    if angles:
        stages += [trigonometric(names, roles, order) for order in (2, 3)]
    positive = [i for i in straight if rows[:, i].min() > 0]
    if positive and all(roles[i] in ("amount", None, "other") for i in positive):
        stages.append(logarithmic(names, positive))
    positions = [i for i in range(d) if roles[i] == "position"]
    if len(positions) >= 2 and not angles:
        stages += [mechanics(names, roles), mechanics(names, roles, products=True)]
    degree = max((p for p in range(3, 7) if term_count(len(straight), p) <= MAX_TERMS), default=0)
    if degree and not angles:
        stages.append(polynomial(names, degree, straight))
    if positions and not angles:
        stages += [radial(names, roles, [potential]) for potential in POTENTIALS]
        stages.append(exponential(names, roles))
        if d >= 6:
            stages.append(chain(names, roles))
    stages = [stage for stage in stages if 0 < len(stage) <= MAX_TERMS]
    return [s for i, s in enumerate(stages) if i == 0 or s.exponents != stages[i - 1].exponents]


def infer_roles(
    names: Sequence[str], roles: Sequence[str | None] | None, rows: np.ndarray
) -> list[str | None]:
    """Fill in roles that were not given, from the coordinates' names and values.

    Given roles are kept. Where none is known, names that physicists use for angles, positions and
    velocities count, and a positive coordinate among positive ones is an amount.
    """
    known = list(roles) if roles is not None else [None] * len(names)
    if any(known):
        return known
    if rows.min() > 0:
        return ["amount"] * len(names)
    guesses: list[str | None] = []
    for name in names:
        if _ANGLE_NAMES.fullmatch(name):
            guesses.append("angle")
        elif _VELOCITY_NAMES.fullmatch(name):
            guesses.append("velocity")
        elif _POSITION_NAMES.fullmatch(name):
            guesses.append("position")
        else:
            guesses.append(None)
    # Half a guess is none: positions come with as many velocities or momenta.
    if guesses.count("velocity") != guesses.count("position") + guesses.count("angle"):
        return [None] * len(names)
    return guesses
