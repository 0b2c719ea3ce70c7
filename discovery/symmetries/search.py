"""Which vector fields to try: short formulas first, then richer ones where more is there.

Transport along loops (`discovery.symmetries.transport`) tells how many symmetries there are in any
coordinates. Where the first library has fewer, others are tried: each coordinate polynomial,
trigonometric or exponential. What none of them has is written as a sum of smooth fields of no
particular formula (`discovery.symmetries.candidates.smooth_fields`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from discovery.criteria import SYMMETRIES
from discovery.libraries.monomials import symbols_of
from discovery.symmetries import counting, lie_operators
from discovery.symmetries.candidates import common_denominator, vector_fields
from discovery.symmetries.candidates.fields import CandidateFields
from discovery.symmetries.candidates.smooth_fields import SmoothFields
from discovery.symmetries.candidates.vector_fields import VectorFields
from discovery.symmetries.geometry.sources import ExactMetric
from discovery.symmetries.lie_operators import LieOperators
from discovery.symmetries.problem import FIT_SHARE, Prepared
from discovery.symmetries.transport import killing_space
from discovery.symmetries.transport.killing_space import KillingSpace

# Defects of smooth fields below this are rounding.
_ROUNDING = 1e-11
# Degrees by which they must fall, and the degree that this takes.
_DROP, _RESOLVING = 3, 6
# Points that the rich libraries are solved on.
_ENOUGH = 800


@dataclass(frozen=True)
class Solution:
    """The eigenproblem of one library.

    Attributes
    ----------
    fields : CandidateFields
    fit, held : LieOperators
        On the points that fields are found on, and on those that judge them.
    spectrum : (k,) array
        Defects, ascending on the first: the larger of both.
    vectors : (m, k) array
    """

    fields: CandidateFields
    fit: LieOperators
    held: LieOperators
    spectrum: np.ndarray
    vectors: np.ndarray


def solve(fields: CandidateFields, prepared: Prepared, most: int = 0) -> Solution:
    """Solve the eigenproblem of a library.

    Parameters
    ----------
    fields : CandidateFields
    prepared : Prepared
    most : int
        Points at most; 0 for all.
    """
    fit, held = prepared.fit, prepared.held
    if most and len(fit) + len(held) > most:
        cut = int(FIT_SHARE * most)
        fit, held = fit[:cut], held[: most - cut]
    rows = np.concatenate([fit, held])
    operators = lie_operators.lie_operators(
        fields,
        prepared.points[rows],
        prepared.geometry.take(rows),
        prepared.keeps,
        prepared.with_metric,
    )
    own, other = operators.take(slice(len(fit))), operators.take(slice(len(fit), None))
    defects, vectors = lie_operators.spectrum(own)
    spectrum = np.maximum(defects, lie_operators.defect(other, vectors))
    return Solution(fields, own, other, spectrum, vectors)


@dataclass(frozen=True)
class Explored:
    """What libraries richer than the first have.

    Attributes
    ----------
    best : Solution
        Of the library of formulas with the most symmetries; the first one of equals.
    known : int
        How many it has.
    smooth : Solution or None
        Where fields without a formula have more.
    count : int
        Number of symmetries.
    """

    best: Solution
    known: int
    smooth: Solution | None
    count: int

    @classmethod
    def of(cls, best: Solution, known: int) -> Explored:
        """Nothing beyond the library of formulas."""
        return cls(best, known, None, known)

    def at_most(self, most: int) -> Explored:
        """Leave out what is beyond the number that there can be."""
        if self.count <= most:
            return self
        return replace(self, known=min(self.known, most), count=most)


def explore(
    first: Solution,
    prepared: Prepared,
    degree: int,
    metric: ExactMetric,
    space: KillingSpace | None,
) -> Explored:
    """Look for symmetries that the first library cannot express.

    Parameters
    ----------
    first : Solution
    prepared : Prepared
    degree : int
        Of polynomials in further libraries.
    metric : callable or FormulaMetric
    space : KillingSpace or None
        What transport tells of their number; without it, smooth fields tell what they can.
    """
    best, count = first, prepared.dimension(first.spectrum)
    n = prepared.points.shape[1]
    most = n * (n + 1) // 2 if space is None else space.dimension
    if count >= most:  # there cannot be more
        return Explored.of(best, most)
    smooth, many = None, 0
    promised = space is not None or _wide(prepared.points)
    if space is None:
        fields = _smooth_fields(prepared, vector_fields.affordable(prepared.points[:_ENOUGH]))
        if len(fields) and fields.degrees.max() >= _RESOLVING:
            smooth = solve(fields, prepared, _ENOUGH)
            many = _converged(smooth)
            promised |= bool(np.sum(smooth.spectrum <= SYMMETRIES.approximate_defect) > count)
    for other in _others(prepared, degree) if promised else ():
        trial = solve(other, prepared, _ENOUGH)
        limit = counting.rich_limit(prepared.geometry.double)
        found = min(counting.dimension(trial.spectrum, limit, 1.0), most)
        if found > count:
            best, count = trial, found
        if count == most:
            return Explored.of(best, count)
    if space is not None:
        known = killing_space.elsewhere(space, metric, prepared.points, prepared.geometry)
        trial = _quotients(known, prepared, degree)
        if trial is not None and prepared.dimension(trial.spectrum) >= most:
            return Explored.of(trial, most)
        return Explored(best, count, _carried(known, prepared), most)
    return Explored(best, count, smooth, many) if many > count else Explored.of(best, count)


def _wide(points: np.ndarray) -> bool:
    """Whether a coordinate goes so far that it may be an angle, which polynomials resolve badly."""
    return bool(np.any(np.ptp(points, axis=0) > SYMMETRIES.wide_coordinate))


def _smooth_fields(prepared: Prepared, most: int) -> SmoothFields:
    names = symbols_of(prepared.names)
    return SmoothFields(names, prepared.roles, prepared.points, most)


def _quotients(known: KillingSpace, prepared: Prepared, degree: int) -> Solution | None:
    """Solve in a library whose functions are over a common denominator, where there is one."""
    points, n = prepared.points, prepared.points.shape[1]
    symbols = symbols_of(prepared.names)
    plain = vector_fields.scalar_functions(symbols, (None,) * n, points, degree + 2)
    for fields in (vector_fields.along_each_axis(symbols, plain), *_others(prepared, degree)):
        functions = [fields.fields[f][0] for f in range(0, len(fields), n)]
        values = fields.jets(points[known.rows])[0][:, ::n, 0]
        q = common_denominator.denominator(known.values, values, functions)
        if q is not None and q.free_symbols:
            over = vector_fields.along_each_axis(symbols, [f / q for f in functions])
            return solve(over, prepared, _ENOUGH)
    return None


def _carried(known: KillingSpace, prepared: Prepared) -> Solution:
    """Return the fields that transport gave as sums of smooth ones, fitted to values and slopes.

    Of several degrees, that which leaves the smallest defects.
    """
    n, points = prepared.points.shape[1], prepared.points
    fields = _smooth_fields(prepared, n * (n + 1) * len(known.rows) // 2)
    rest = solve(fields, prepared, _ENOUGH)
    trials = []
    for degree in range(2, fields.degrees.max(initial=0) + 1):
        vectors = _fitted(fields, degree, known, points)
        own = np.maximum(*(lie_operators.defect(part, vectors) for part in (rest.fit, rest.held)))
        trials.append((own.max(), own, vectors))
    _, own, vectors = min(trials, key=lambda trial: trial[0])
    order = np.argsort(own)
    return replace(
        rest,
        spectrum=np.concatenate([own[order], rest.spectrum[known.dimension :]]),
        vectors=np.concatenate([vectors[:, order], rest.vectors[:, known.dimension :]], axis=1),
    )


def _fitted(
    fields: SmoothFields, degree: int, known: KillingSpace, points: np.ndarray
) -> np.ndarray:
    """Return coefficients (m, d) up to a degree of fields whose values and slopes are known."""
    n, scale = points.shape[1], np.ptp(points, axis=0)
    modes, rates = fields.scalars(points[known.rows])
    rows = np.concatenate([modes, *np.moveaxis(rates * scale, 2, 0)])
    slopes = np.moveaxis(known.slopes, 2, 0) * scale[:, None, None, None]
    targets = np.concatenate([known.values, *slopes]).reshape(len(rows), -1)
    low = fields.degrees[::n] <= degree
    found = np.zeros((len(low), targets.shape[1]))
    found[low] = np.linalg.lstsq(rows[:, low], targets, rcond=1e-13)[0]
    found = found.reshape(len(low), known.dimension, n)
    return np.moveaxis(found, 1, 2).reshape(len(fields), known.dimension)


def _converged(smooth: Solution) -> int:
    """Count defects that vanish as the degree grows; those of near symmetries come to a halt."""
    degrees = smooth.fields.degrees
    fewer = np.flatnonzero(degrees <= degrees.max() - _DROP)
    before, _ = lie_operators.spectrum(smooth.fit.columns(fewer))
    now = smooth.spectrum[: len(before)]
    falling = (now <= _ROUNDING) | (now <= SYMMETRIES.falling_defect * before)
    fine = (now <= counting.rich_limit(double=True)) & falling
    return int(np.argmin(np.append(fine, False)))


def remainder(found: Explored, prepared: Prepared) -> np.ndarray:
    """Return the symmetries that only `smooth` has, (m, k): those orthogonal to the formulas'."""
    best, smooth = found.best, found.smooth
    space = smooth.vectors[:, : found.count]
    known = best.vectors[:, : found.known]
    rows = np.concatenate([prepared.fit, prepared.held])[: len(smooth.fit.lie)]
    points, factor = prepared.points[rows], np.linalg.cholesky(prepared.geometry.metric[rows])

    def white(fields: CandidateFields, vectors: np.ndarray) -> np.ndarray:
        values, _ = fields.jets(points)
        return np.einsum("bfk,bkc,fv->bcv", values, factor, vectors).reshape(-1, vectors.shape[1])

    if not known.shape[1]:
        return space
    inside = np.linalg.lstsq(white(smooth.fields, space), white(best.fields, known), rcond=None)[0]
    left, _, _ = np.linalg.svd(inside, full_matrices=True)
    return space @ left[:, known.shape[1] :]


def _others(prepared: Prepared, degree: int) -> Iterator[VectorFields]:
    """Yield libraries in which each coordinate is of another kind, few changes first."""
    symbols, roles = symbols_of(prepared.names), prepared.roles
    n, some = len(symbols), prepared.points[:_ENOUGH]
    kinds = [("angle",) if r == "angle" else ("position", "angle", "rapidity") for r in roles]
    if n > 3:
        return
    for choice in sorted(itertools.product(*kinds), key=_changes):
        # In space, exponentials of one coordinate at most: else there are too many libraries.
        if n == 3 and "rapidity" in choice and _changes(choice) > 1:
            continue
        functions = vector_fields.products(symbols, choice, some, degree)
        fields = vector_fields.along_each_axis(symbols, functions)
        if len(fields) <= vector_fields.affordable(some):
            yield fields


def _changes(choice: tuple[str, ...]) -> int:
    return sum(kind != "position" for kind in choice)
