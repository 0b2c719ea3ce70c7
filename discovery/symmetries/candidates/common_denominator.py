r"""Vector fields that are quotients: a function q with q ξ in the span of a library for each ξ.

In coordinates whose metric is a sum of squares over others (parabolic, elliptic) symmetries are
p(x)/q(x) with one q for all. If Φ holds the library's functions at points and P projects onto
their span, q = Φ c with (1 − P) (ξ^k q) = 0 for every component: a null vector of the stacked
matrices (1 − P) diag(ξ^k) Φ.
"""

from __future__ import annotations

import numpy as np
import sympy

from discovery.criteria import SYMMETRIES
from discovery.formulas import pencil, simple_numbers, sparse_basis

# What is left of q ξ outside the span, as a share: fields are known to rounding.
_INSIDE = 1e-9


def denominator(
    values: np.ndarray, functions: np.ndarray, expressions: list[sympy.Expr]
) -> sympy.Expr | None:
    """Return q, or None where the library has none.

    Parameters
    ----------
    values : (N, d, n) array
        ξ^k of d fields.
    functions : (N, F) array
        The library's functions at the same points.
    expressions : list of F sympy.Expr
    """
    count = functions.shape[1]
    if len(functions) < 3 * count:
        return None
    scale = np.linalg.norm(functions, axis=0)
    unit = functions / np.where(scale > 0, scale, 1.0)
    left, lengths, _ = np.linalg.svd(unit, full_matrices=False)
    left = left[:, lengths > 1e-12 * lengths[0]]
    blocks = []
    for component in values.reshape(len(values), -1).T:
        product = component[:, None] * unit
        blocks.append((product - left @ (left.T @ product)) / max(np.abs(component).max(), 1e-300))
    top = np.concatenate(blocks)
    _, sizes, right = np.linalg.svd(top, full_matrices=False)
    null = right[sizes <= _INSIDE * sizes[0]].T
    if not null.shape[1]:
        return None
    # Back to the functions' own units, in which coefficients are rounded.
    scale = np.where(scale > 0, scale, 1.0)
    costs = np.array([1.0 + 0.25 * sympy.count_ops(e) for e in expressions])
    forms = pencil.Pencil((top * scale).T @ (top * scale), functions.T @ functions)
    vector = sparse_basis.sparse_basis(forms, null / scale[:, None], costs, 1e-6)[:, 0]
    numbers = simple_numbers.as_numbers(vector)
    q = functions @ np.array([float(c) for c in numbers])
    if np.abs(q).min() <= SYMMETRIES.denominator_size * np.abs(q).max():
        return None
    return sympy.Add(*(c * e for c, e in zip(numbers, expressions, strict=True)))
