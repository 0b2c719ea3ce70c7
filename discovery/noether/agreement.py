"""Whether two analyses agree: the laws of the data, and the Killing fields of their energy.

The energy among the laws is ½ wᵀ M(q) w + V(q): its metric and potential have Killing fields of
their own, found without looking at the other laws. By Noether's theorem each gives a law, and each
law linear in the momenta gives one of them. Where one side lacks what the other has, something was
missed, or is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy

from discovery.criteria import SYMMETRIES
from discovery.noether import phase_space
from discovery.noether.phase_space import PhaseSpace
from discovery.symmetries.geometry.formula_metric import FormulaMetric
from discovery.symmetries.symmetry import Symmetry

# States at which laws and fields are compared.
_POINTS = 240
# Coordinates up to which all candidates are tried; beyond, affine fields alone.
_FEW = 3


def disagreements(
    laws: Sequence[sympy.Expr],
    sentences: Sequence[str | None],
    space: PhaseSpace,
    kinds: Sequence[str | None],
    states: np.ndarray,
) -> list[str]:
    """Say where laws and Killing fields do not pair.

    Parameters
    ----------
    laws : sequence of sympy.Expr
    sentences : sequence of str or None
        The symmetry behind each law.
    space : PhaseSpace
        With the energy.
    kinds : sequence of n
        Roles of the positions.
    states : (N, D) array

    Returns
    -------
    list of str
        One sentence each; empty where both agree.
    """
    flags = [
        f"{law} is conserved, but no symmetry is known that it belongs to"
        for law, sentence in zip(laws, sentences, strict=True)
        if sentence is None
    ]
    states = states[:_POINTS]
    fields = killing_fields(space, kinds, states)
    if fields is None:
        return flags
    positions = states[:, [i for i, _ in space.pairs]]
    slopes = phase_space.gradients(laws, space.symbols, states)
    for field in fields:
        momentum = _momentum(field, space)
        gradient = phase_space.gradients([momentum], space.symbols, states)[:, 0]
        if _pointwise_outside(gradient, slopes) > SYMMETRIES.span_residual:
            flags.append(
                f"{field.expression} keeps the energy's metric and potential, but its momentum "
                f"{sympy.expand(momentum)} is not among the laws, nor a function of them"
            )
            # Named once: what is a function of it and the laws is not missing besides.
            slopes = np.concatenate([slopes, gradient[:, None]], axis=1)
    known = np.stack([f(positions).ravel() for f in fields], axis=1) if fields else None
    for law in laws:
        own = _field_of(law, space, states)
        if own is not None and _outside(own, known) > SYMMETRIES.span_residual:
            flags.append(
                f"{law} is linear in the momenta, but the field that it generates is not among "
                "the symmetries of the energy's metric and potential"
            )
    return flags


def killing_fields(
    space: PhaseSpace, kinds: Sequence[str | None], states: np.ndarray
) -> list[Symmetry] | None:
    """Return the Killing fields of the energy's metric and potential.

    Parameters
    ----------
    space : PhaseSpace
        With the energy.
    kinds : sequence of n
        Roles of the positions.
    states : (N, D) array

    Returns
    -------
    list of Symmetry or None
        None where the energy has no metric that tells them.
    """
    # scikit-learn takes as long to import as a search: only where there is an energy.
    from discovery.symmetries.finder import SymmetryFinder

    momenta = space.momenta
    hessian = sympy.hessian(space.hamiltonian, momenta)
    at_rest = {w: 0 for w in momenta}
    if any(space.hamiltonian.diff(w).subs(at_rest) != 0 for w in momenta):
        return None  # a magnetic term: the metric alone does not tell the symmetries
    inverse = space.mass == sympy.eye(len(momenta)) and hessian != space.mass
    matrix = hessian.inv() if inverse else hessian
    metric = FormulaMetric(matrix, space.positions, space.hamiltonian.subs(at_rest))
    n = len(space.positions)
    finder = SymmetryFinder(
        metric=metric,
        library="auto" if n <= _FEW else "affine",
        names=[str(s) for s in space.positions],
        roles=["angle" if kind == "angle" else None for kind in kinds],
        tolerance=SYMMETRIES.span_residual / 2,
        random_state=0,
    )
    try:
        return finder.fit(states[:, [i for i, _ in space.pairs]]).symmetries_
    except ValueError:  # singular or not definite at some states, or too few of them
        return None


def _momentum(field: Symmetry, space: PhaseSpace) -> sympy.Expr:
    local = dict(zip(map(str, space.positions), space.positions, strict=True))
    xi = [c.subs({s: local[str(s)] for s in c.free_symbols}) for c in field.components]
    return (sympy.Matrix([xi]) * space.mass * sympy.Matrix(space.momenta))[0]


def _field_of(law: sympy.Expr, space: PhaseSpace, states: np.ndarray) -> np.ndarray | None:
    """Return the field (N·n,) that a law linear in the momenta generates; None for others."""
    slope = sympy.Matrix([law.diff(w) for w in space.momenta])
    if slope.is_zero_matrix or any(slope.has(w) for w in space.momenta):
        return None
    return phase_space.evaluate(list(space.mass.inv() * slope), space.symbols, states).ravel()


def _outside(vector: np.ndarray, columns: np.ndarray | None) -> float:
    if columns is None:
        return 1.0
    rest = vector - columns @ np.linalg.lstsq(columns, vector, rcond=1e-10)[0]
    return float(np.linalg.norm(rest) / np.linalg.norm(vector))


def _pointwise_outside(gradient: np.ndarray, slopes: np.ndarray) -> float:
    """Return the share of a gradient (N, D) that those of the laws (N, k, D) do not span."""
    rest = []
    for one, rows in zip(gradient, slopes, strict=True):
        size = np.linalg.norm(one)
        left = one - rows.T @ np.linalg.lstsq(rows.T, one, rcond=1e-8)[0]
        rest.append(np.linalg.norm(left) / size if size > 0 else 0.0)
    return float(np.median(rest))
