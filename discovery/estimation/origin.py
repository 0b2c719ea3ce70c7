"""The natural origin of coordinates that were measured from far away.

Formulas are simple about the place where the motion has its centre. Seen from afar the user's own
origin says nothing of it, but the motion does: a velocity is zero where its position rests; central
forces point at one place; an amount of nothing does not grow; and in an equilibrium nothing moves.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize_scalar

from discovery.criteria import DATA
from discovery.data.coordinates import MOMENTA, POSITIONS

# Rows that are looked at.
_ROWS = 4000
# Roles of coordinates that may be amounts, and how far below their least values nothing is.
_AMOUNTS = ("amount", "other", None)
_DISTANCES = (0.03, 30.0, 31)
# Steps of Newton's method, and the largest distance of an equilibrium in spreads of the data.
_STEPS, _FAR = 20, 3.0


def natural_origin(
    states: np.ndarray,
    rates: np.ndarray,
    roles: Sequence[str | None],
    groups: Sequence[Sequence[int]],
) -> np.ndarray:
    """Return the natural origin of some coordinates, (d,); zero where the motion shows none.

    For coordinates that are far from the user's origin.

    Parameters
    ----------
    states, rates : (n, d) arrays
        Smoothed states and their time derivatives.
    roles : sequence of length d
    groups : sequence of sequences of int
        The coordinates that may be moved: those of a group together, unless each has a centre.
    """
    shown = _shown(states, rates, roles, groups)
    return np.nan_to_num(np.where(np.isnan(shown), _settled(states, rates, groups, shown), shown))


def origin_aside(
    states: np.ndarray,
    rates: np.ndarray,
    roles: Sequence[str | None],
    groups: Sequence[Sequence[int]],
) -> np.ndarray:
    """Return the natural origin of places and velocities where it is not the user's, (d,).

    Zero elsewhere: where the motion shows none, and where it is nearer to the user's than the
    states are spread. An equilibrium alone has to be farther away: of a well beside the user's
    origin the formula may be simple about that. Beside an angle it moves nothing: a place may be
    the angle's radius, which counts from the axis.

    Parameters
    ----------
    states, rates, roles, groups
        As for `natural_origin`; of coordinates that are not far from the user's origin.
    """
    shown = _shown(states, rates, roles, groups)
    settled = _settled(states, rates, groups, shown)
    if "angle" in roles:
        settled = np.full_like(shown, np.nan)
    scale = states.std(axis=0)
    aside = np.abs(shown) > DATA.centre_aside * scale
    far = np.isnan(shown) & (np.abs(settled) > DATA.equilibrium_aside * scale)
    return np.where(aside, shown, np.where(far, settled, 0.0))


def _shown(
    states: np.ndarray,
    rates: np.ndarray,
    roles: Sequence[str | None],
    groups: Sequence[Sequence[int]],
) -> np.ndarray:
    """Return where velocities are zero, pulls point at and amounts end, (d,); nan elsewhere."""
    columns = [i for group in groups for i in group]
    step = max(1, len(states) // _ROWS)
    middle, scale = states.mean(axis=0), states.std(axis=0)
    x, v = (states[::step] - middle) / scale, rates[::step] / rates.std(axis=0)
    found = np.full(x.shape[1], np.nan)
    for j in columns:
        if roles[j] in MOMENTA:
            found[j] = _rest(x[:, j], v[:, [i for i, r in enumerate(roles) if r in POSITIONS]])
    if np.isnan(found[columns]).any():
        places, pull = _pull(states[::step], rates[::step], roles)
        if len(places) > 1:
            centre = _centre(states[::step][:, places], pull)
            found[places] = (centre - middle[places]) / scale[places]
    for j in columns:
        if roles[j] in _AMOUNTS:
            found[j] = _nothing(x, v[:, j], j)
    asked = np.isin(np.arange(x.shape[1]), columns)
    return np.where(asked, middle + scale * found, np.nan)


def _settled(
    states: np.ndarray, rates: np.ndarray, groups: Sequence[Sequence[int]], shown: np.ndarray
) -> np.ndarray:
    """Return the equilibrium, (d,), one for each group; nan where there is none or none is asked.

    Parameters
    ----------
    states, rates, groups
        As for `natural_origin`.
    shown : (d,) array
        What is known already; where that is all, there is nothing to look for.
    """
    columns = [i for group in groups for i in group]
    out = np.full(states.shape[1], np.nan)
    if np.isfinite(shown[columns]).all():
        return out
    step = max(1, len(states) // _ROWS)
    middle, scale = states.mean(axis=0), states.std(axis=0)
    x, v = (states[::step] - middle) / scale, rates[::step] / rates.std(axis=0)
    rest = middle + scale * _equilibrium(x, v)
    for group in groups:
        out[list(group)] = rest[list(group)].mean()
    return out


def _pull(
    states: np.ndarray, rates: np.ndarray, roles: Sequence[str | None]
) -> tuple[list[int], np.ndarray]:
    """Return the columns of positions that have a momentum, and their accelerations (n, k).

    Whatever the order, the units and the signs of the momenta are.
    """
    momenta = [j for j, role in enumerate(roles) if role in MOMENTA]
    places, pull = [], []
    for i in (i for i, role in enumerate(roles) if role == "position"):
        correlation = [float(np.corrcoef(rates[:, i], states[:, j])[0, 1]) for j in momenta]
        best = int(np.argmax(np.abs(correlation))) if momenta else -1
        if best >= 0 and abs(correlation[best]) >= DATA.rate_correlation:
            slope = np.polyfit(states[:, momenta[best]], rates[:, i], 1)[0]
            places.append(i)
            pull.append(slope * rates[:, momenta[best]])
    return places, np.reshape(pull, (len(places), len(states))).T


def _rest(x: np.ndarray, rates: np.ndarray) -> float:
    """Return where the rate (n, k) that is a multiple of x (n,), but for a constant, is zero."""
    correlation = [float(np.corrcoef(x, rate)[0, 1]) for rate in rates.T]
    best = int(np.argmax(np.abs(correlation))) if correlation else -1
    if best < 0 or abs(correlation[best]) < DATA.rate_correlation:
        return float("nan")
    slope, constant = np.polyfit(x, rates[:, best], 1)
    return -constant / slope


def _centre(places: np.ndarray, pull: np.ndarray) -> np.ndarray:
    """Return the place (k,) that pulls at places (n, k) point at, or nan.

    Of a × (x − c) = 0 by least squares, each row of unit length.
    """
    k = places.shape[1]
    unit = pull / np.maximum(np.linalg.norm(pull, axis=1), 1e-300)[:, None]
    rows, values = [], []
    for i, j in itertools.combinations(range(k), 2):
        row = np.zeros((len(unit), k))
        row[:, j], row[:, i] = unit[:, i], -unit[:, j]
        rows.append(row)
        values.append(unit[:, i] * places[:, j] - unit[:, j] * places[:, i])
    design, target = np.concatenate(rows), np.concatenate(values)
    centre = np.linalg.lstsq(design, target, rcond=None)[0]
    missed = np.sqrt(np.mean((design @ centre - target) ** 2))
    reach = np.sqrt(np.mean(np.sum((places - centre) ** 2, axis=1)))
    return centre if missed <= DATA.central_pull * reach else np.full(k, np.nan)


def _nothing(x: np.ndarray, rate: np.ndarray, column: int) -> float:
    """Return the value below all others at which the rate of a coordinate is zero, or nan.

    ẋ_j = (x_j − c) g(x), g linear: for each c least squares, and c where least is left.
    """
    own = x[:, column]
    linear = np.hstack([np.ones((len(x), 1)), x])

    def left(distance: float) -> float:
        design = (own - own.min() + distance)[:, None] * linear
        rest = rate - design @ np.linalg.lstsq(design, rate, rcond=None)[0]
        return float(np.mean(rest**2))

    trials = np.geomspace(*_DISTANCES)
    values = np.array([left(distance) for distance in trials])
    best = int(np.argmin(values))
    if not 0 < best < len(trials) - 1 or values[best] > DATA.unexplained_rate * values[-1]:
        return float("nan")
    found = minimize_scalar(left, bounds=(trials[best - 1], trials[best + 1]), method="bounded")
    return float(own.min() - found.x)


def _equilibrium(x: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Return where no rate (n, d) is left near the middle of standardized states, (d,) or nan."""
    d = x.shape[1]
    powers = _powers(d, 3 if d <= 4 else 2)
    phi = np.prod(x[:, None, :] ** powers, axis=2)
    weights = np.linalg.lstsq(phi, rates, rcond=None)[0]
    if np.max(np.mean((phi @ weights - rates) ** 2, axis=0)) > DATA.unexplained_rate:
        return np.full(d, np.nan)
    place = np.zeros(d)
    for _ in range(_STEPS):
        value = np.prod(place**powers, axis=1) @ weights
        slopes = np.array([_slope(powers, place, i) @ weights for i in range(d)]).T
        place = place - np.linalg.lstsq(slopes, value, rcond=1e-3)[0]
        if np.max(np.abs(place)) > _FAR:
            return np.full(d, np.nan)
    left = np.prod(place**powers, axis=1) @ weights
    return place if np.max(np.abs(left)) < 1e-3 else np.full(d, np.nan)


def _powers(d: int, degree: int) -> np.ndarray:
    """Return the exponents of all monomials of d variables up to a degree, (m, d)."""
    chosen = itertools.combinations_with_replacement(range(d + 1), degree)
    return np.array([[factors.count(i) for i in range(d)] for factors in chosen])


def _slope(powers: np.ndarray, place: np.ndarray, i: int) -> np.ndarray:
    """Return ∂/∂x_i of the monomials at a place."""
    lower = powers.copy()
    lower[:, i] = np.maximum(lower[:, i] - 1, 0)
    return powers[:, i] * np.prod(place**lower, axis=1)
