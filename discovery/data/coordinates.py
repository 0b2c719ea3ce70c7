"""Coordinates: their names and roles, given or inferred, and which of them belong to one body."""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from discovery.criteria import ANGLES, DATA
from discovery.data.cells import without_unit
from discovery.data.rising import rise

#: What a coordinate can be.
ROLES = (
    "position",
    "velocity",
    "momentum",
    "angle",
    "angular_velocity",
    "amount",
    "field",
    "parameter",
    "time",
    "other",
)
# Roles of what a body's place is, and of what its motion is.
POSITIONS = ("position", "angle")
MOMENTA = ("velocity", "momentum", "angular_velocity")

# What users may pass: one role a coordinate, or roles by name or by a pattern of names.
Roles: TypeAlias = Sequence[str | None] | Mapping[str, str]

# Names that physicists use for them.
_ANGLE_NAMES = re.compile(
    r"(theta|phi|psi|angle|alpha|beta|gamma|th|q_?ang|longitude|azimuth)_?\d*", re.IGNORECASE
)
_VELOCITY_NAMES = re.compile(r"(v|vx|vy|vz|u|w|p|px|py|pz|p_x|p_y|p_z|.*dot|omega)_?\d*", re.I)
# A momentum or a rate that bears its coordinate's name: p_theta, pr, dphi.
_OF_A_COORDINATE = re.compile(r"(p|v|d)_?(\D.*)", re.IGNORECASE)
_POSITION_NAMES = re.compile(r"(x|y|z|q|r|qx|qy|qz|q_x|q_y|q_z)_?\d*", re.IGNORECASE)
# A rate that bears its coordinate's name: rho_dot, dr_dtau, dr/dt, range_rate.
_RATE_OF = re.compile(r"(?:(.+?)_?(?:dot|rate)|d_?(.+?)_?/?_?d_?(?:t|tau|s))", re.IGNORECASE)
# Units at the end of a name: v_m_s, v_m_per_s, theta_deg.
_UNITS_OF_NAMES = re.compile(
    r"(_(m|cm|mm|km|um|nm|px|au|AU|kg|deg|degrees|rad|radians|s|ms|yr|per)\d?)+$"
)
# A letter, and the number of a body or of a coordinate: x1, x_1.
_NUMBERED = re.compile(r"(.*?)_?(\d+)")


def default_names(dim: int, letters: Sequence[str] = ()) -> tuple[str, ...]:
    """Return names for coordinates that have none: x0, x1, and so on, as columns are counted.

    Parameters
    ----------
    dim : int
        Number of coordinates.
    letters : sequence of str
        Used instead where there are enough of them: x, y, z for points in space.

    Returns
    -------
    tuple of dim str
    """
    if dim <= len(letters):
        return tuple(letters[:dim])
    return tuple(f"x{i}" for i in range(dim))


def as_names(names: Iterable[str] | None, dim: int) -> tuple[str, ...]:
    """Return ``dim`` distinct coordinate names; the default counts from x0.

    Raises
    ------
    ValueError
        For another number of names, repeated or empty ones.
    """
    if names is None:
        return default_names(dim)
    if isinstance(names, str):
        names = [names]
    names = tuple(str(name) for name in names)
    if len(names) != dim:
        raise ValueError(
            f"names is {names}, of length {len(names)}; the states have {dim} coordinates."
        )
    if not all(name.strip() for name in names):
        raise ValueError(f"names has an empty one: {names}. Each coordinate needs a name.")
    odd = [name for name in names if not name.isprintable()]
    if odd:
        raise ValueError(f"names has {odd[0]!r}, which cannot be printed. Expected plain text.")
    # An accent is one character or two (NFC, NFD), and is printed the same.
    printed = [unicodedata.normalize("NFC", name).strip() for name in names]
    repeated = sorted({name for name in printed if printed.count(name) > 1})
    if repeated:
        raise ValueError(
            f"names repeats {repeated}, as they are printed. Each coordinate needs a name of its "
            "own."
        )
    return names


def as_roles(roles: Roles | None, names: tuple[str, ...]) -> tuple[str | None, ...] | None:
    """Return one role a coordinate (None where unknown), or None when no roles are given.

    A mapping gives roles by coordinate name, or by a pattern as of files: ``{"u*": "field"}``;
    coordinates that it leaves out are unknown.

    Raises
    ------
    ValueError
        For another number of roles, an unknown role, or the role of a name that is none.
    """
    if roles is None:
        return None
    if isinstance(roles, Mapping):
        patterns = [key for key in roles if key not in names and "*" in key]
        found = {name: roles[key] for key in patterns for name in fnmatch.filter(names, key)}
        roles = found | {key: role for key, role in roles.items() if key not in patterns}
        strangers = sorted(set(roles) - set(names))
        if strangers:
            raise ValueError(f"roles names {strangers}; the coordinates are {list(names)}.")
        roles = [roles.get(name) for name in names]
    if isinstance(roles, str) or not hasattr(roles, "__len__") or len(roles) != len(names):
        raise ValueError(
            f"roles is {roles!r}. Expected one role for each of the {len(names)} coordinates "
            f"{list(names)}."
        )
    roles = tuple(None if role in (None, "unknown") else role for role in roles)
    for name, role in zip(names, roles, strict=True):
        if role is not None and role not in ROLES:
            raise ValueError(
                f"unknown role {role!r} for coordinate {name!r}. Expected one of "
                f"{', '.join(ROLES)}, or None."
            )
    return roles


def infer_roles(
    names: Sequence[str],
    roles: Sequence[str | None] | None,
    rows: np.ndarray,
    rates: np.ndarray | None = None,
) -> list[str | None]:
    """Fill in roles that were not given, from the coordinates' values, rates and names.

    Given roles are kept. Where none is known, positive coordinates are amounts; names that
    physicists use for angles, positions and velocities count; and a coordinate whose rate is
    another coordinate (up to a mass, or the sense of time) is a position, the other its velocity.
    Names suggest, and rates decide: momenta with which their velocities fall are none (see `rise`).

    Parameters
    ----------
    names : sequence of d str
    roles : sequence of d str or None, or None
    rows : (n, d) values
    rates : (n, d), optional
        Their time derivatives.

    Returns
    -------
    list of d str or None
    """
    known = list(roles) if roles is not None else [None] * len(names)
    if any(known):
        return known
    if rows.min() > 0:
        return ["amount"] * len(names)
    alone = [role_of_name(name) for name in names]
    for guesses in (alone, _with_pairs(names, alone)):
        guesses = _without_cosines(guesses, rows)
        # Half a guess is none: positions come with as many velocities or momenta.
        moving, places = (sum(g in kinds for g in guesses) for kinds in (MOMENTA, POSITIONS))
        if moving == places > 0 and not _refuted(guesses, rows, rates):
            return guesses
    return _roles_from_rates(rows, rates) if rates is not None else [None] * len(names)


def _refuted(guesses: Sequence[str | None], rows: np.ndarray, rates: np.ndarray | None) -> bool:
    """Tell whether places move against their momenta, as prey called x and its hunters called v.

    Exactly against them is the other sense of time, or of an axis.
    """
    if rates is None:
        return False
    places, momenta, angles = (
        [i for i, guess in enumerate(guesses) if guess in kinds]
        for kinds in (POSITIONS, MOMENTA, ("angle",))
    )
    found = rise(rows, rates, places, momenta, angles)
    return -DATA.rate_correlation < found < -DATA.falling


def _without_cosines(guesses: list[str | None], rows: np.ndarray) -> list[str | None]:
    """Return guesses without the angles that are a unit vector: gamma1, gamma2, gamma3 of a top."""
    angles = [i for i, guess in enumerate(guesses) if guess == "angle"]
    squares = rows[:, angles] ** 2
    # Sums of squares that knew nothing of each other would vary by as much.
    apart = np.sqrt(np.sum(squares.var(axis=0)))
    total = squares.sum(axis=1)
    on_sphere = total.std() <= ANGLES.on_sphere * apart and abs(total.mean() - 1) <= total.std()
    if len(angles) < 2 or not on_sphere:
        return guesses
    return [None if i in angles else guess for i, guess in enumerate(guesses)]


def named_rates(names: Sequence[str]) -> dict[int, int]:
    """Return columns that bear another's name as its rate, and which: rho_dot beside rho.

    Units in titles and at the end of names do not count, nor what follows a name after "_". A
    column that two would be the rates of has none.

    Parameters
    ----------
    names : sequence of str
    """
    bare = [bare_name(name).lower() for name in names]
    pairs: dict[int, int] = {}
    for j, name in enumerate(bare):
        found = _RATE_OF.fullmatch(name)
        of = found and (found[1] or found[2])
        own = [i for i, other in enumerate(bare) if i != j and other == of]
        own = own or [i for i, other in enumerate(bare) if i != j and other.startswith(f"{of}_")]
        own = [i for i in own if not _RATE_OF.fullmatch(bare[i])]
        if of and len(own) == 1:
            pairs[j] = own[0]
    return {j: i for j, i in pairs.items() if list(pairs.values()).count(i) == 1}


def _with_pairs(names: Sequence[str], guesses: Sequence[str | None]) -> list[str | None]:
    """Return guesses with those of places and of the rates that bear their names."""
    roles = list(guesses)
    for j, i in named_rates(names).items():
        turns = role_of_name(names[i]) == "angle"
        roles[i], roles[j] = ("angle", "angular_velocity") if turns else ("position", "velocity")
    return roles


def bare_name(name: str) -> str:
    """Return a name without its unit: x1 of ``x1 (cm)``, ``x1 / cm`` and ``x1_cm``."""
    return _UNITS_OF_NAMES.sub("", without_unit(name)).rstrip("_")


def role_of_name(name: str) -> str | None:
    """Return the role of a coordinate that physicists use a name for; None for other names.

    Units do not matter.
    """
    name = bare_name(name)
    if _ANGLE_NAMES.fullmatch(name):
        return "angle"
    if _VELOCITY_NAMES.fullmatch(name):
        return "velocity"
    if _POSITION_NAMES.fullmatch(name):
        return "position"
    named = _OF_A_COORDINATE.fullmatch(name)
    if named is None:
        return None
    turns = _ANGLE_NAMES.fullmatch(named[2])
    if not (turns or _POSITION_NAMES.fullmatch(named[2])):
        return None
    if named[1] in "pP":
        return "momentum"
    return "angular_velocity" if turns else "velocity"


def _roles_from_rates(rows: np.ndarray, rates: np.ndarray) -> list[str | None]:
    """Call x_i a position and x_j its velocity where ẋ_i is a multiple of x_j.

    A positive one first; a negative one where time or an axis points the other way. Where ẋ_j is
    the same multiple of x_i in sign, nothing tells which of them is the place.
    """
    d = rows.shape[1]
    roles: list[str | None] = [None] * d
    correlation = np.corrcoef(rates, rows, rowvar=False)[:d, d:]
    for likeness in (correlation, -correlation):
        for i in range(d):
            free = [j for j in range(d) if j != i and roles[j] is None]
            j = max(free, key=lambda j, own=likeness[i]: own[j], default=None)
            if j is None or roles[i] is not None:
                continue
            if likeness[i, j] > DATA.rate_correlation >= likeness[j, i]:
                roles[i], roles[j] = "position", "velocity"
    return roles


def group_bodies(names: Sequence[str], columns: Sequence[int]) -> list[list[int]]:
    """Group position columns by body: the trailing number of a name is the body's (x1 y1 x2 y2).

    Names without numbers are one body; so are at most three names of one letter (q1 q2 q3), which
    are coordinates, not bodies. More than three of one letter are bodies on a line. Units do not
    matter.
    """
    # x_m1 is of the body m1, x1_m is in metres.
    whole = [without_unit(name) for name in names]
    parsed = [_NUMBERED.fullmatch(w) or _NUMBERED.fullmatch(bare_name(w)) for w in whole]
    if all(parsed):
        letters = {m[1] for m in parsed}
        if len(letters) > 1 or len(names) > 3:
            groups: dict[str, list[int]] = {}
            for match, column in zip(parsed, columns, strict=True):
                groups.setdefault(match[2], []).append(column)
            return list(groups.values())
    return [list(columns)] if columns else []


def in_words(names: Sequence[str], roles: Sequence[str | None] | None) -> str:
    """Return a list of coordinates to read; of fields, only their names and size."""
    points = [name for name, role in zip(names, roles or (), strict=False) if role == "field"]
    if not points:
        return f"coordinates {', '.join(names)}"
    fields = dict.fromkeys(map(field_of, points))
    plural = "s" if len(fields) > 1 else ""
    text = f"field{plural} {', '.join(fields)} on {len(points) // len(fields)} grid points"
    beside = [name for name, role in zip(names, roles, strict=True) if role != "field"]
    return f"{text} beside {', '.join(beside)}" if beside else text


def field_of(name: str) -> str:
    """Return the field that a column holds at one point: u for u12."""
    return name.rstrip("0123456789_") or name


def are_fields(roles: Sequence[str | None] | None) -> bool:
    """Tell whether there are fields on a grid, with or without other coordinates beside them."""
    return "field" in (roles or ())
