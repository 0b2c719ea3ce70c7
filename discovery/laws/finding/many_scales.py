"""Operators at many values of a scale at once; what does not have the scale is evaluated once.

W, D and B are sums of products over samples. Those of terms with the scale and without are one
product of two matrices, for all values together.
"""

from __future__ import annotations

import numpy as np

from discovery.estimation.errors import among
from discovery.estimation.orbits import Orbits
from discovery.formulas.pencil import least_of_each
from discovery.laws.finding.operators import Operators
from discovery.libraries.functions import Functions

# Numbers that the terms of the values of one turn are made of, about: as many as stay at hand.
_AT_ONCE = 2**18
# The same of all terms at one value. Of more, most have slopes along few coordinates: products of
# these alone are less work.
_MOST = 2**20


def fits(library: Functions, orbits: Orbits) -> bool:
    """Tell whether a library is small enough for many values at once to be less work."""
    return 2 * library.dim * len(library) * len(orbits.smoothed.states) <= _MOST


def operators_at(
    library: Functions, plain: np.ndarray, orbits: Orbits, values: np.ndarray
) -> Operators:
    """Return the operators at each of T values of a scale, matrices (T, m, m).

    Parameters
    ----------
    library : Functions
        m terms of the orbits' coordinates and, last, the scale.
    plain : (m,) array of bool
        Which terms do not have it.
    orbits : Orbits
    values : (T,) array
    """
    first, rest = np.flatnonzero(plain), np.flatnonzero(~plain)
    n, d = orbits.smoothed.states.shape
    alone = _rows(library.restrict(first), orbits, values[:1])
    inside = [np.einsum("aikn,ajkn->ij", part, part, optimize=True) for part in alone]
    step = max(1, _AT_ONCE // ((len(rest) + 1) * (2 * d + 1) * n))
    out = []
    for begin in range(0, len(values), step):
        some = values[begin : begin + step]
        whole = np.empty((4, len(some), len(library), len(library)))
        for own, other, known, matrix in zip(
            _rows(library.restrict(rest), orbits, some), alone, inside, whole, strict=True
        ):
            # What has no slope along a coordinate adds nothing.
            used = own.any(axis=(0, 1, 3))
            size = int(used.sum()) * own.shape[3]
            turn = own[:, :, used].reshape(len(some), len(rest), size)
            fixed = other[0][:, used].reshape(len(first), size)
            both = turn.reshape(len(some) * len(rest), size) @ fixed.T
            both = both.reshape(len(some), len(rest), len(first))
            matrix[:, first[:, None], first] = known
            matrix[:, rest[:, None], rest] = turn @ turn.swapaxes(1, 2)
            matrix[:, rest[:, None], first] = both
            matrix[:, first[:, None], rest] = both.swapaxes(1, 2)
        out.append(whole)
    within, dirichlet, between, unit = np.concatenate(out, axis=1)
    return Operators(within / n, dirichlet / n, between / max(1, orbits.n_runs - 1), unit / n)


def least_at(ops: Operators, known: np.ndarray) -> np.ndarray:
    """Return the least μ at each of T values, (T,), of functions apart from known ones.

    Parameters
    ----------
    ops : Operators
        Matrices (T, m, m), of numbers.
    known : (m, k) array
        Functions that noise moves independently of those.
    """
    _, dirichlet, _, unit = ops.matrices
    if known.shape[1]:
        turned, _ = np.linalg.qr(dirichlet @ known, mode="complete")
        basis = turned[:, :, known.shape[1] :]
        if not basis.shape[2]:
            return np.full(len(unit), np.inf)
        ops = Operators(*(basis.swapaxes(1, 2) @ part @ basis for part in ops.matrices))
    pencil = ops.pencil
    return least_of_each(pencil.top, pencil.bottom, ops.unit_dirichlet)


def _rows(library: Functions, orbits: Orbits, values: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return what the sums of products are made of, (T, k, ., .) of k terms at T values.

    In the order of `Operators`: values less their run's mean, slopes times errors, the runs' means,
    and slopes in units of the coordinates' spread.
    """
    path, lengths = orbits.smoothed, np.diff(orbits.offsets)
    n, d = path.states.shape
    t, k = len(values), len(library)
    states = np.column_stack([np.tile(path.states, (t, 1)), np.repeat(values, n)])
    errors = among(path.errors, d + 1, range(d))
    errors = np.tile(errors, (t, *(1,) * (errors.ndim - 1)))
    phi, slopes, bend = library.jets(states, errors, order=2)
    phi = (phi - 0.5 * bend).reshape(k, t, 1, n).swapaxes(0, 1)
    means = np.add.reduceat(phi, orbits.offsets[:-1], axis=3) / lengths
    phi = phi - np.repeat(means, lengths, axis=3)
    slopes = slopes[:d].reshape(d, k, t, n).transpose(2, 1, 0, 3)
    if path.half.ndim == 2:
        moved = slopes * path.half.T
    else:
        moved = np.einsum("tkin,nij->tkjn", slopes, path.half)
    return phi, moved, means - means.mean(axis=3, keepdims=True), slopes * orbits.scale[:, None]
