"""Which vector fields to try: short formulas first, then richer ones where more is there.

Fields of no particular formula (`discovery.smooth_fields`) tell how many symmetries there are in
any coordinates. Where the first library has fewer, others are tried: each coordinate polynomial,
trigonometric or exponential.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from discovery import finder_input, symmetry, vector_fields
from discovery.finder_input import Prepared
from discovery.libraries.builders import symbols_of
from discovery.smooth_fields import SmoothFields
from discovery.symmetry import LieOperators
from discovery.vector_fields import VectorFields

# Defects of approximating fields up to which a formula may have none.
_PROMISING = 0.05
# Defects of symmetries in rich libraries: near symmetries of a small region come down to 1e-5.
STRICT = 1e-8
# Those of approximating fields fall by this factor when the degree grows by so much, or are
# rounding; and the degree that this takes.
_FALLING, _ROUNDING, _DROP, _RESOLVING = 0.3, 1e-11, 3, 6
# Coordinates that go farther may be angles that polynomials do not resolve.
_WIDE = 4.0
# Points that the rich libraries are solved on.
_ENOUGH = 800


@dataclass(frozen=True)
class Solution:
    """The eigenproblem of one library.

    Attributes
    ----------
    fields : VectorFields or SmoothFields
    fit, held : LieOperators
        On the points that fields are found on, and on those that judge them.
    spectrum : (k,) array
        Defects, ascending on the first: the larger of both.
    vectors : (m, k) array
    """

    fields: VectorFields | SmoothFields
    fit: LieOperators
    held: LieOperators
    spectrum: np.ndarray
    vectors: np.ndarray


def solve(fields: VectorFields | SmoothFields, prepared: Prepared, most: int = 0) -> Solution:
    """Solve on all points, or on `most` of them."""
    fit, held = prepared.fit, prepared.held
    if most and len(fit) + len(held) > most:
        fit, held = fit[: int(0.7 * most)], held[: int(0.3 * most)]
    rows = np.concatenate([fit, held])
    operators = symmetry.lie_operators(
        fields,
        prepared.points[rows],
        prepared.geometry.take(rows),
        prepared.keeps,
        prepared.with_metric,
    )
    own, other = operators.take(slice(len(fit))), operators.take(slice(len(fit), None))
    defects, vectors = symmetry.spectrum(own)
    spectrum = np.maximum(defects, symmetry.defect(other, vectors))
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


def explore(first: Solution, prepared: Prepared, degree: int) -> Explored:
    """Look for symmetries that the first library cannot express."""
    best, count = first, prepared.dimension(first.spectrum)
    n = prepared.points.shape[1]
    if count == n * (n + 1) // 2:  # there cannot be more
        return Explored.of(best, count)
    fields = SmoothFields(
        symbols_of(prepared.names),
        prepared.roles,
        prepared.points,
        vector_fields.affordable(prepared.points[:_ENOUGH]),
    )
    smooth, many = None, 0
    promised = bool(np.any(np.ptp(prepared.points, axis=0) > _WIDE))
    if len(fields) and fields.degrees.max() >= _RESOLVING:
        smooth = solve(fields, prepared, _ENOUGH)
        many = _converged(smooth)
        promised |= bool(np.sum(smooth.spectrum <= _PROMISING) > count)
    for other in _others(prepared, degree) if promised else ():
        trial = solve(other, prepared, _ENOUGH)
        found = finder_input.dimension(trial.spectrum, STRICT, 1.0)
        if found > count:
            best, count = trial, found
        if count == n * (n + 1) // 2:
            break
    return Explored(best, count, smooth, many) if many > count else Explored.of(best, count)


def _converged(smooth: Solution) -> int:
    """Count defects that vanish as the degree grows; those of near symmetries come to a halt."""
    degrees = smooth.fields.degrees
    fewer = np.flatnonzero(degrees <= degrees.max() - _DROP)
    before, _ = symmetry.spectrum(smooth.fit.columns(fewer))
    now = smooth.spectrum[: len(before)]
    fine = (now <= STRICT) & ((now <= _ROUNDING) | (now <= _FALLING * before))
    return int(np.argmin(np.append(fine, False)))


def remainder(found: Explored, prepared: Prepared) -> np.ndarray:
    """Return the symmetries that only `smooth` has, (m, k): those orthogonal to the formulas'."""
    best, smooth = found.best, found.smooth
    space = smooth.vectors[:, : found.count]
    known = best.vectors[:, : found.known]
    rows = np.concatenate([prepared.fit, prepared.held])[: len(smooth.fit.lie)]
    points, factor = prepared.points[rows], np.linalg.cholesky(prepared.geometry.metric[rows])

    def white(fields, vectors):
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
