"""Whether a function's flow is the measured motion: then it is the energy.

Over windows of the runs,

    Δq = ∫ ∂h/∂p dt,   Δp = −∫ ∂h/∂q dt                     with momenta,
    p = ∂h/∂w,   Δp = ∫ ∂(2T − h)/∂q dt,   2T = w·p          with velocities, where h = T + V.

The latter are Lagrange's equations of T − V. Forces across the velocities, of a magnetic field or a
turning frame, leave h alone: F(q) w with F antisymmetric is allowed beside them. Laws b(q)·p + f(q)
tell such forces: these are conserved where bᵀF = −∇f. Where places are tied to a surface, the
equations hold along it (`discovery.noether.tangent`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from discovery.criteria import FORMULAS, SYMMETRIES
from discovery.noether.motion import Candidate, MeasuredMotion
from discovery.noether.tangent import tangent

# What is zero but for rounding, and the share of motion that integrals over samples leave.
_ROUNDING, _INTEGRALS = 1e-6, 1e-5
# A difference quotient's step, in spreads.
_STEP = 1e-4
# Measured states at which it is seen what a function is of.
_SOME = 200
# Degree of F(q) up to which a force across the velocities is looked for, in few coordinates.
_DEGREE, _FEW = 2, 3


class Flow(NamedTuple):
    """Where a function's flow is the measured motion.

    Attributes
    ----------
    pairs : list of int
        Which pairs of coordinates it moves.
    across : bool
        Whether forces across the velocities act besides.
    mass : (N, n, n) array or None
        M(q) of these pairs at the motion's `points`; None for momenta.
    """

    pairs: list[int]
    across: bool
    mass: np.ndarray | None


def flow_of(
    law: Candidate, motion: MeasuredMotion, others: Sequence[Candidate] = (), diagonal: bool = False
) -> Flow | None:
    """Return how a function moves the coordinates that it is of, where that is how they move.

    Parameters
    ----------
    law : Candidate
    motion : MeasuredMotion
    others : sequence of Candidate
        Other laws. With momenta: what moves with these besides is not moved by `law` alone. With
        velocities: those that are linear in them tell forces across them.
    diagonal : bool
        Whether masses must be each coordinate's own: squares of a conserved total momentum may
        hide in others. So they must be where no coordinate is an angle.

    Returns
    -------
    Flow or None
        None for what does not move them so, or where nothing tells.
    """
    pairs = pairs_of(law, motion)
    if not pairs or not motion.windows:
        return None
    kinds = {motion.roles[motion.pairs[k][1]] for k in pairs}
    found = None
    places = {motion.roles[motion.pairs[k][0]] for k in pairs}
    diagonal = diagonal or places == {"position"}
    if "momentum" not in kinds:
        found = _with_velocities(*_at_rest(law, motion, pairs, others), pairs, diagonal)
    if found is None and (kinds == {"momentum"} or not motion.told):
        found = _with_momenta(law, motion, pairs, others)
    return found


def pairs_of(law: Candidate, motion: MeasuredMotion) -> list[int]:
    """Return which pairs a function is of; none where it is of other coordinates too."""
    used: set[int] = set()
    # Also at measured states: of points all over a box some are where forces have no bounds.
    for states in (motion.points(), motion.states[:: max(1, len(motion.states) // _SOME)]):
        slopes = law.gradient(states)
        if not np.isfinite(slopes).all():
            return []
        weight = np.sqrt(np.mean(slopes**2, axis=0)) * motion.states.std(axis=0)
        used |= set(np.flatnonzero(weight > _ROUNDING * weight.max()))
    used -= {i for i, role in enumerate(motion.roles) if role == "parameter"}
    pairs = [k for k, pair in enumerate(motion.pairs) if used & set(pair)]
    return pairs if used <= {i for k in pairs for i in motion.pairs[k]} else []


def _with_momenta(
    law: Candidate, motion: MeasuredMotion, pairs: list[int], others: Sequence[Candidate]
) -> Flow | None:
    q, p = (np.array([motion.pairs[k][side] for k in pairs]) for side in (0, 1))
    columns = np.concatenate([q, p])
    size = motion.states[:, columns].std(axis=0)

    def flow(of: Candidate) -> np.ndarray:
        slopes = of.gradient(motion.states)
        moved = np.concatenate([slopes[:, p], -slopes[:, q]], axis=1)
        return (motion.integral(moved) / size).ravel()

    change = (motion.change(motion.states[:, columns]) / size).ravel()
    own, most = flow(law), _most(motion, columns, change)
    if law.decays:
        friction = np.zeros((len(motion.states), len(columns)))
        friction[:, len(q) :] = motion.states[:, p]
        lost = (motion.integral(friction) / size).ravel()
        left = _left(np.stack([own, lost], axis=1), change)
        return Flow(pairs, False, None) if left <= most else None
    alone = _left(own[:, None], change)
    if not alone <= most:
        return None
    beside = [f for f in map(flow, others) if np.isfinite(f).all()]
    together = _left(np.stack([own, *beside], axis=1), change)
    if alone > SYMMETRIES.energy_gain * together + _INTEGRALS * (change @ change):
        return None
    return Flow(pairs, False, None)


class _Moved(NamedTuple):
    """A function of states that are counted from another place."""

    law: Candidate
    origin: np.ndarray

    @property
    def decays(self) -> bool:
        return self.law.decays

    def gradient(self, states: np.ndarray) -> np.ndarray:
        return self.law.gradient(states + self.origin)


def _at_rest(
    law: Candidate, motion: MeasuredMotion, pairs: list[int], others: Sequence[Candidate]
) -> tuple[Candidate | _Moved, MeasuredMotion, Sequence[Candidate | _Moved]]:
    """Return the same with velocities counted from those at which a function is least.

    An angle may be seen in a frame that turns, and its rate not: then h is of w − w0. Whether
    places move by this is seen afterwards.
    """
    w = np.array([motion.pairs[k][1] for k in pairs])
    still = motion.points()
    still[:, w] = 0.0
    masses = _masses(law, still, w, motion.states[:, w].std(axis=0))
    base = law.gradient(still)[:, w]
    if not (np.isfinite(masses).all() and np.isfinite(base).all()):
        return law, motion, others
    least = -np.einsum("nij,nj->ni", np.linalg.pinv(masses), base)
    at = np.median(least, axis=0)
    size = np.abs(at).max()
    if not size or not np.abs(least - at).max() <= _ROUNDING * size:
        return law, motion, others
    origin = np.zeros(motion.states.shape[1])
    origin[w] = at
    moved = replace(motion, states=motion.states - origin)
    return _Moved(law, origin), moved, [_Moved(other, origin) for other in others]


def _with_velocities(
    law: Candidate,
    motion: MeasuredMotion,
    others: Sequence[Candidate],
    pairs: list[int],
    diagonal: bool,
) -> Flow | None:
    q, w = (np.array([motion.pairs[k][side] for k in pairs]) for side in (0, 1))
    unit = velocity_units(motion, q, w)
    mass = None if unit is None else _mass(law, motion, w, unit)
    if mass is None:
        return None
    if diagonal and _is_mixed(mass):
        return None
    p, force = law.gradient(motion.states)[:, w] / unit, _force(law, motion, q, w)
    speeds = motion.states[:, w] * unit
    along = tangent(motion, q, speeds)
    if along is not None:
        whole, (onto, turning) = p, along
        p, force = _times(onto, p), _times(onto, force) + _times(turning, whole)
    size = p.std(axis=0)
    change = motion.change(p) / size
    known = _resolved(motion, force / size, change)
    change = change[known].ravel()
    rest = change - (motion.integral(force) / size)[known].ravel()
    most = _most(motion, w, change)
    if law.decays:
        friction = (motion.integral(p) / size)[known].ravel()[:, None]
        return Flow(pairs, False, mass) if _left(friction, rest) <= most else None
    if rest @ rest <= most:
        return Flow(pairs, False, mass)
    onto = None if along is None else along[0]
    for degree in range(_DEGREE + 1 if len(q) <= _FEW else 1):
        powers = _monomials(motion.states[:, q], degree)
        if 5 * len(powers) * math.comb(len(q), 2) < len(change):  # else they would fit anything
            forces = _across(motion, speeds, powers, onto)
            across = [(one / size)[known].ravel() for one in forces]
            if across and _left(np.stack(across, axis=1), rest) <= most:
                return Flow(pairs, True, mass)
    told = _told_across(law, motion, w, unit, others) if len(pairs) == len(motion.pairs) else None
    if told is not None:
        rest = rest - (motion.integral(told) / size)[known].ravel()
        if rest @ rest <= most:
            return Flow(pairs, True, mass)
    return None


def _times(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return products (n, k) of matrices (n, k, k) and vectors (n, k)."""
    return np.einsum("nij,nj->ni", matrices, vectors)


def _told_across(
    law: Candidate,
    motion: MeasuredMotion,
    w: np.ndarray,
    unit: np.ndarray,
    others: Sequence[Candidate],
) -> np.ndarray | None:
    """Return the least force F(q) w, (n, k), across the velocities that keeps laws linear in them.

    None where none of the others is.
    """
    states, q = motion.states, np.array(motion.positions)
    linear = [_linear_part(other, states, w) for other in others]
    linear = [slope for slope in linear if slope is not None]
    if not linear:
        return None
    rest = states.copy()
    rest[:, w] = 0.0
    masses = _masses(law, rest, w, states[:, w].std(axis=0)) / np.outer(unit, unit)
    if not np.isfinite(masses).all():
        return None
    speeds = np.stack([slope[:, w] / unit for slope in linear], axis=2)
    slopes = np.stack([slope[:, q] for slope in linear], axis=2)
    turning = _antisymmetric(np.linalg.solve(masses, speeds), slopes)
    return _times(turning, states[:, w] * unit)


def _linear_part(law: Candidate, states: np.ndarray, w: np.ndarray) -> np.ndarray | None:
    """Return the gradient at rest (n, D) of a law linear in velocities; None of any other."""
    # Most are seen to be none at a few states.
    for some in (states[:: max(1, len(states) // _SOME)], states):
        rest, faster = some.copy(), some.copy()
        rest[:, w], faster[:, w] = 0.0, 2 * some[:, w]
        slopes = [law.gradient(at) for at in (rest, some, faster)]
        # At rest a logarithm of a velocity has no value.
        if not all(np.isfinite(slope).all() for slope in slopes):
            return None
        size = np.abs(slopes[0][:, w]).max()
        if not size or np.abs(slopes[2] - slopes[0])[:, w].max() > _ROUNDING * size:
            return None
    return slopes[0]


def _antisymmetric(vectors: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return the least antisymmetric F, (n, k, k), with F B = S, or nearly, at each of n states.

    Where B = U Σ Vᵀ, the entries of UᵀFU stand in one equation, or in two, of SV Σ each.

    Parameters
    ----------
    vectors, images : (n, k, m) arrays
        B and S.
    """
    k = vectors.shape[1]
    frame, sizes, mixed = np.linalg.svd(vectors)
    known = sizes.shape[1]
    image = np.swapaxes(frame, 1, 2) @ images @ np.swapaxes(mixed[:, :known], 1, 2)
    right = np.zeros((len(vectors), k, k))
    right[:, :, :known] = image * sizes[:, None, :]
    squares = np.zeros((len(vectors), k))
    squares[:, :known] = sizes**2
    weights = squares[:, :, None] + squares[:, None, :]
    told = weights > _ROUNDING**2 * squares[:, :1, None]
    inside = np.where(told, right - np.swapaxes(right, 1, 2), 0.0) / np.where(told, weights, 1.0)
    return frame @ inside @ np.swapaxes(frame, 1, 2)


def left_over(law: Candidate, motion: MeasuredMotion) -> tuple[np.ndarray, np.ndarray] | None:
    """Return how ∂h/∂w changes over windows and what Lagrange's equations leave of it.

    Parameters
    ----------
    law : Candidate
    motion : MeasuredMotion
        With velocities.

    Returns
    -------
    tuple of two (windows, n) arrays, or None
        None where positions do not change as their velocities say.
    """
    q, w = np.array(motion.positions), np.array(motion.momenta)
    unit = velocity_units(motion, q, w)
    if unit is None:
        return None
    change = motion.change(law.gradient(motion.states)[:, w] / unit)
    return change, change - motion.integral(_force(law, motion, q, w))


def most_left(motion: MeasuredMotion, change: np.ndarray) -> float:
    """Return the sum of squares that noise and rounding may leave of changes of all momenta."""
    return _most(motion, np.array(motion.momenta), change)


def velocity_units(motion: MeasuredMotion, q: np.ndarray, w: np.ndarray) -> np.ndarray | None:
    """Return the factors k with q̇ = k w, (n,): ones, but for units; None where there are none.

    Parameters
    ----------
    motion : MeasuredMotion
    q, w : (n,) arrays of int
        Columns of places and of what may be their velocities.
    """
    spread = motion.states[:, q].std(axis=0)
    moved = motion.change(motion.states[:, q]) / spread
    speeds = motion.integral(motion.states[:, w]) / spread
    unit = np.sum(moved * speeds, axis=0) / np.sum(speeds**2, axis=0)
    rest = (moved - unit * speeds).ravel()
    return unit if rest @ rest <= _most(motion, q, moved.ravel()) else None


def _is_mixed(mass: np.ndarray) -> bool:
    """Tell whether masses (N, n, n) mix coordinates everywhere alike, beyond chance."""
    middle = np.median(mass, axis=0)
    error = 1.25 * mass.std(axis=0) / np.sqrt(len(mass))  # of a median, of normal values
    mixed = np.abs(middle) - FORMULAS.interval * error
    np.fill_diagonal(mixed, 0.0)
    return bool(mixed.max() > SYMMETRIES.mixed_mass * np.abs(middle).max())


def _resolved(motion: MeasuredMotion, force: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Return in which windows samples resolve a force, (windows,) bool; at least in half of them.

    Simpson's rule errs by a fifteenth of what it changes with half of the samples: at a close
    encounter by more than the motion elsewhere.
    """
    error = np.sum((motion.integral(force) - motion.integral(force, 2)) ** 2, axis=1) / 15**2
    allowed = SYMMETRIES.flow_rest * np.mean(np.sum(np.minimum(change**2, 1.0), axis=1))
    return error <= max(allowed, float(np.median(error)))


def _force(law: Candidate, motion: MeasuredMotion, q: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return ∂(2T − h)/∂q at the states, (n, k), 2T = w·∂h/∂w."""
    states = motion.states

    def double_kinetic(at: np.ndarray) -> np.ndarray:
        return np.sum(law.gradient(at)[:, w] * at[:, w], axis=1)

    force = -law.gradient(states)[:, q]
    for k, i in enumerate(q):
        step = np.zeros(states.shape[1])
        step[i] = _STEP * states[:, i].std()
        change = double_kinetic(states + step) - double_kinetic(states - step)
        force[:, k] += change / (2 * step[i])
    return force


def _most(motion: MeasuredMotion, columns: np.ndarray, change: np.ndarray) -> float:
    """Return the sum of squares that noise and rounding may leave of changes over windows."""
    noise = motion.noise[columns] / motion.states[:, columns].std(axis=0)
    both_ends = 2 * np.sum(noise**2) * len(change) / len(columns)
    return SYMMETRIES.flow_noise * both_ends + SYMMETRIES.flow_rest * (change @ change)


def _mass(
    law: Candidate, motion: MeasuredMotion, w: np.ndarray, unit: np.ndarray
) -> np.ndarray | None:
    """Return M(q), (N, n, n), where h is V(q) + ½ wᵀ M(q) w with M definite; else None."""
    points, speed = motion.points(), motion.states[:, w].std(axis=0)
    rest = points.copy()
    rest[:, w] = 0.0
    base, mass = law.gradient(rest)[:, w], _masses(law, rest, w, speed)
    size = np.abs(np.einsum("nij,i,j->n", np.abs(mass), speed, speed))
    linear = np.abs(base * speed).max(axis=1)
    moving = law.gradient(points)[:, w] - np.einsum("nij,nj->ni", mass, points[:, w])
    if np.any(np.maximum(linear, np.abs(moving * speed).max(axis=1)) > _ROUNDING * size.max()):
        return None
    mass = mass / np.outer(unit, unit)
    standard = mass * np.outer(speed * unit, speed * unit)
    levels = np.linalg.eigvalsh((standard + standard.transpose(0, 2, 1)) / 2)
    for sign in (1, -1):
        bottom = np.min(sign * levels, axis=1)
        if np.mean(bottom > _ROUNDING * np.abs(levels).max(axis=1)) > SYMMETRIES.definite_share:
            return sign * mass
    return None


def _masses(law: Candidate, rest: np.ndarray, w: np.ndarray, speed: np.ndarray) -> np.ndarray:
    """Return ∂²h/∂w∂w, (n, k, k), at states at rest; of what is quadratic in the velocities."""
    base, columns = law.gradient(rest)[:, w], []
    for j in range(len(w)):
        probe = rest.copy()
        probe[:, w[j]] = speed[j]
        with np.errstate(invalid="ignore"):  # no value at rest
            columns.append((law.gradient(probe)[:, w] - base) / speed[j])
    return np.stack(columns, axis=2)


def _monomials(places: np.ndarray, degree: int) -> list[np.ndarray]:
    """Return monomials of places (n, k) up to a degree, (n,) each."""
    places = (places - places.mean(axis=0)) / places.std(axis=0)
    return [
        np.prod(places[:, list(which)], axis=1)
        for order in range(degree + 1)
        for which in itertools.combinations_with_replacement(range(places.shape[1]), order)
    ]


def _across(
    motion: MeasuredMotion,
    speeds: np.ndarray,
    powers: Sequence[np.ndarray],
    onto: np.ndarray | None,
) -> Iterator[np.ndarray]:
    """Yield integrals over windows, (windows, k), of forces F(q) w with F antisymmetric.

    Parameters
    ----------
    motion : MeasuredMotion
    speeds : (n, k) array
        w.
    powers : sequence of (n,) arrays
        What an entry of F is.
    onto : (n, k, k) array or None
        What takes forces to the surface that places are tied to.
    """
    for power in powers:
        pushed = power[:, None] * speeds
        pushed = motion.integral(pushed) if onto is None else pushed
        for i, j in itertools.combinations(range(speeds.shape[1]), 2):
            force = np.zeros_like(pushed)
            force[:, i], force[:, j] = pushed[:, j], -pushed[:, i]
            yield force if onto is None else motion.integral(_times(onto, force))


def _left(columns: np.ndarray, vector: np.ndarray) -> float:
    """Return the square of what is left of a vector beside columns; nan where not finite."""
    if not (np.isfinite(columns).all() and np.isfinite(vector).all()):
        return float("nan")
    rest = vector - columns @ np.linalg.lstsq(columns, vector, rcond=None)[0]
    return float(rest @ rest)
