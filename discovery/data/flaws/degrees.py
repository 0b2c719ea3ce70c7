"""Degrees: told angles whose unit nobody told.

A change by a turn changes nothing in the laws of motion. So rates are functions of an angle's
cosines and sines, and of the other columns; those of the angle in radians explain them where it is
in radians, and those of the angle in degrees where it is in degrees. A torsion spring has no turn:
its rates are linear in the angle, also beside the waves of radians. The rates of runs that took no
part in the fit decide.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from enum import Enum

import numpy as np

from discovery.criteria import ANGLES
from discovery.data.flaws.samples import Samples

# Largest 1-norm of a wave vector, and rows that are enough to fit its functions.
_ORDER, _ROWS = 2, 20_000


class Period(Enum):
    """What a change of an angle changes nothing."""

    RADIANS = "a turn in radians"
    DEGREES = "a turn in degrees"
    NONE = "none: the rates are linear in it"


def period_of(samples: Samples, angles: Sequence[int], in_degrees: bool = False) -> Period:
    """Return the period of told angles, none of which wraps.

    Angles that stay within one turn as radians count as radians, and so do those that go round over
    an arc that would be short in degrees.

    Parameters
    ----------
    samples : Samples
    angles : sequence of int
    in_degrees : bool
        Whether that is told too; then a line has to explain the rates clearly better.
    """
    others = [i for i in range(samples.dim) if i not in angles]
    turning = samples.rows[:, angles]
    if np.ptp(turning, axis=0).max() <= 2 * np.pi:
        return Period.RADIANS
    short = np.ptp(turning, axis=0).max() < ANGLES.degrees_arc
    if short and not in_degrees and not _turn_back(samples, turning):
        return Period.RADIANS
    rates = samples.rates()
    # Where there are no velocities, accelerations are functions of the angles.
    seen = others or angles
    targets = (rates if others else Samples(rates, samples.times, samples.offsets).rates())[:, seen]
    inner = samples.inside(2)
    inner = inner[:: max(1, len(inner) // _ROWS)]
    half = (np.searchsorted(samples.offsets, inner, side="right") % 2).astype(bool)
    if len(inner) == 0 or half.all() or not half.any():
        return Period.RADIANS
    plain = _plain(samples.rows[inner][:, others])
    functions = {
        Period.RADIANS: _waves(turning[inner]),
        Period.DEGREES: _waves(turning[inner] * np.pi / 180),
        Period.NONE: np.hstack([np.ones((len(inner), 1)), turning[inner]]),
    }
    left = {
        period: _unexplained(_times(own, plain), targets[inner], half)
        for period, own in functions.items()
    }
    # Where rates do not depend on the angle, a line explains them as nothing does.
    flat = _unexplained(plain, targets[inner], half)
    pulled = left[Period.NONE] < ANGLES.degrees_explain * flat
    if in_degrees:
        clearly = left[Period.NONE] < ANGLES.degrees_explain * left[Period.DEGREES]
        return Period.NONE if pulled and clearly else Period.DEGREES
    # Beside a spring waves are those of radians, and long ones imitate the spring alone.
    twisted = np.hstack([_times(functions[Period.RADIANS], plain), turning[inner]])
    if _unexplained(twisted, targets[inner], half) < ANGLES.degrees_explain * left[Period.DEGREES]:
        return Period.RADIANS
    # An angle that the rates do not depend on has no period, and says nothing of its unit.
    if left[Period.DEGREES] >= ANGLES.degrees_explain * min(left[Period.RADIANS], flat):
        return Period.RADIANS
    # Waves that are long enough imitate a line.
    straight = pulled and left[Period.NONE] <= left[Period.DEGREES]
    return Period.NONE if straight else Period.DEGREES


def _turn_back(samples: Samples, turning: np.ndarray) -> bool:
    """Tell whether angles (n, k) go to and fro along the runs."""
    ahead = [np.diff(turning[a:b], axis=0) > 0 for a, b in itertools.pairwise(samples.offsets)]
    share = np.array([steps.mean(axis=0) for steps in ahead if len(steps)])
    back = np.minimum(share, 1 - share).mean(axis=0)
    return bool(back.max() >= ANGLES.turning_back)


def _plain(values: np.ndarray) -> np.ndarray:
    """Return 1, the standardized columns and their products, (n, k)."""
    spread = values.std(axis=0)
    z = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    columns = range(z.shape[1])
    pairs = itertools.combinations_with_replacement(columns, 2)
    products = [z[:, i] * z[:, j] for i, j in pairs]
    return np.column_stack([np.ones(len(z)), z, *products])


def _waves(angles: np.ndarray) -> np.ndarray:
    """Return 1 and the waves of the angles (n, k)."""
    reach = range(-_ORDER, _ORDER + 1)
    vectors = itertools.product(reach, repeat=angles.shape[1])
    # One of n and −n, and not zero.
    vectors = [v for v in vectors if 0 < sum(map(abs, v)) <= _ORDER and v > tuple(-n for n in v)]
    phases = angles @ np.array(vectors).T
    return np.hstack([np.ones((len(angles), 1)), np.cos(phases), np.sin(phases)])


def _times(own: np.ndarray, plain: np.ndarray) -> np.ndarray:
    """Return the products of functions (n, k) of the angles and (n, m) of the rest."""
    return (own[:, :, None] * plain[:, None, :]).reshape(len(own), -1)


def _unexplained(terms: np.ndarray, targets: np.ndarray, half: np.ndarray) -> float:
    """Return the share of the targets' variance that a fit to either half leaves in the other."""
    left = []
    for part in (half, ~half):
        found, *_ = np.linalg.lstsq(terms[part], targets[part], rcond=1e-8)
        wrong = targets[~part] - terms[~part] @ found
        left.append((wrong**2).mean(axis=0) / np.maximum(targets[~part].var(axis=0), 1e-300))
    return float(np.minimum(np.mean(left, axis=0), 1.0).mean())
