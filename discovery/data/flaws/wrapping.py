"""Wrapping: a column that jumps by one and the same size while its rate goes on.

At a jump the step that the motion makes is what the neighbours' rates predict, δ, and a wrapped
column shows Δ = δ ∓ A instead. So A = ±(δ − Δ) is the same at every jump, the motion points the
other way than the jump, and all values lie within one A. A square wave has no such motion, a
relaxation goes the same way, a chaotic map has no rate, and what is reset changes its rate.

Noise has a part in where a noisy column jumps: the step there is one that noise made large, and A
comes out too small, by about as much as neighbours usually miss a step.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import t as student

from discovery.criteria import ANGLES
from discovery.data.flaws.samples import Samples

RADIANS = 2 * math.pi
# A turn in degrees, gons, turns and hours; encoders count powers of two.
UNITS_OF_TURNS = (360.0, 400.0, 1.0, 24.0, *(float(2**k) for k in range(4, 33)))
# Percent of the values at either end, and of the jumps, that may be wrong.
_TAIL, _ODD = 1, 20
# Noise takes values a little beyond one turn; numbers are rounded to this share of it.
_ONE_TURN, _ROUNDING = 1.05, 1e-12
# The rate at a place by those of its four neighbours, exact for cubic rates.
_NEIGHBOURS, _WEIGHTS = np.array([-2, -1, 1, 2]), np.array([-1, 4, 4, -1]) / 6


def turn_of(samples: Samples) -> float | None:
    """Return the size of the turn of a wrapped column, None where it does not wrap.

    Parameters
    ----------
    samples : Samples
        Of the column alone, d = 1.
    """
    values = samples.rows[:, 0]
    low, high = np.percentile(values, (_TAIL, 100 - _TAIL))
    width = high - low
    steps, gaps = np.diff(values), np.diff(samples.times)
    jumps = np.abs(steps) > width / 2
    places = samples.steps(beside=2)
    places = places[~jumps[places[:, None] + _NEIGHBOURS].any(axis=1)]
    near, plain = places[jumps[places]], places[~jumps[places]]
    if len(near) < 2 or len(plain) < 2 or width <= 0:
        return None
    rates = steps / np.where(gaps > 0, gaps, np.inf)
    predicted = rates[places[:, None] + _NEIGHBOURS] @ _WEIGHTS * gaps[places]
    moved = predicted[jumps[places]]
    missed = np.abs(steps[plain] - predicted[~jumps[places]])
    sizes = np.sign(steps[near]) * (steps[near] - moved)
    turn = float(np.median(sizes))
    wraps = (
        width <= _ONE_TURN * turn
        and _of_one_size(sizes, turn, width)
        and _as_elsewhere(sizes, turn, missed)
        and _against(moved, steps[near])
        and _goes_on(rates, near, plain)
    )
    if not wraps:
        return None
    error = 4 * float(np.median(np.abs(sizes - turn))) / math.sqrt(len(sizes))
    error += float(np.median(np.abs(moved))) / 10
    # Steps of a map are no rates, and tell another size; its values come near to both ends.
    return _named(min(turn, float(np.ptp(values)) + error), error, float(np.median(missed)))


def _of_one_size(sizes: np.ndarray, turn: float, width: float) -> bool:
    """Tell whether jumps are of one size, more than chance would have it; a few may be wrong.

    A size between half the range and the whole of it lies within e of another one with probability
    4 e over the range.
    """
    error = np.percentile(np.abs(sizes - turn), 100 - _ODD)
    others = len(sizes) * (100 - _ODD) / 100 - 1
    chance = min(4 * error / width, 1.0) ** others
    return bool(chance < ANGLES.by_chance)


def _as_elsewhere(sizes: np.ndarray, turn: float, missed: np.ndarray) -> bool:
    """Tell whether neighbours predict the jumps, but for the turn, as they predict other steps."""
    usual = np.percentile(missed, 95) + _ROUNDING * turn
    return bool(np.median(np.abs(sizes - turn)) <= ANGLES.as_elsewhere * usual)


def _against(moved: np.ndarray, steps: np.ndarray) -> bool:
    """Tell whether the motion points the other way than the jumps."""
    ahead = -np.sign(steps) * moved
    error = ahead.std(ddof=1) / math.sqrt(len(ahead))
    return bool(ahead.mean() > student.isf(ANGLES.against_jump, len(ahead) - 1) * error)


def _goes_on(rates: np.ndarray, near: np.ndarray, plain: np.ndarray) -> bool:
    """Tell whether rates change no more across jumps than elsewhere."""
    usual = np.percentile(np.abs(rates[plain + 1] - rates[plain - 1]), 95)
    across = np.median(np.abs(rates[near + 1] - rates[near - 1]))
    return bool(across <= ANGLES.rate_change * usual)


def _named(turn: float, error: float, more: float) -> float:
    """Return the turn that has a name, where one lies within the error of the size.

    Parameters
    ----------
    turn, error : float
    more : float
        By so much the size may be too small besides.
    """
    middle = turn + more / 2
    nearest = min((RADIANS, *UNITS_OF_TURNS), key=lambda size: abs(size - middle))
    if abs(nearest - middle) <= error + more / 2:
        return nearest
    # The number of fewest digits.
    digits = -math.ceil(math.log10(turn))
    while abs(round(turn, digits) - turn) > error:
        digits += 1
    return round(turn, digits)
